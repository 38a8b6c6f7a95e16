/*
 * inquiry: what a server tells of its book without writing: the hello, what is on record, whether a batch id is.
 *
 * Laws kept: 5, 11 (each inquiry reads a view of its own). Lifetime: what is packed is copied.
 */
#ifndef KT_REMOTE_INQUIRY_H
#define KT_REMOTE_INQUIRY_H

#include "engine/remote/accept.h"
#include "engine/view.h"

/* Bytes that any of these answers takes at most. */
#define KT_INQUIRY_ROOM (2048u + KT_FRAME_CURRENCIES_MAX * (KT_CURRENCY_CODE_MAX + 8u))

kt_code kt_inquiry_hello(kt_view *view, kt_pack *pack, kt_error *error);
/* body: a question. */
kt_code kt_inquiry_answer(kt_view *view, kt_span body, kt_pack *pack, kt_error *error);
/* KT_REPEATED and KT_DUPLICATE as kt_accept_look_up; KT_NOT_FOUND. */
kt_code kt_inquiry_batch(kt_view *view, const kt_batch_frame *frame, kt_receipt *receipt, char note[KT_CHECKPOINT_MAX],
                         kt_error *error);

#endif
