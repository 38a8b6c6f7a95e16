/*
 * door: the socket a server listens at: made with its mode from the first moment whatever the umask, never beside a
 * living server, and taken away again only by whom it belongs to.
 *
 * What is at the path decides: nothing, or the socket of a server that died, is replaced; a socket that somebody answers at
 * is KT_BUSY; anything else is KT_EXISTS. Servers that start or stop at the same time take turns by a lock on the
 * directory.
 *
 * Lifetime: the descriptor belongs to the door. Errors also: KT_USAGE, KT_PERMISSION, KT_IO.
 */
#ifndef KT_REMOTE_DOOR_H
#define KT_REMOTE_DOOR_H

#include "storage/error.h"

typedef struct kt_door kt_door;

kt_code kt_door_open(const char *path, unsigned mode, kt_door **out, kt_error *error);
/* No more clients: the file goes, if it is still this door's. */
void kt_door_close(kt_door *door);
int kt_door_descriptor(const kt_door *door);

#endif
