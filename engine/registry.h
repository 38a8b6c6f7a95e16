/*
 * registry: the only file that names every department: its kinds of record and their apply functions. A new kind is a
 * new room plus one line here.
 */
#ifndef KT_ENGINE_REGISTRY_H
#define KT_ENGINE_REGISTRY_H

#include "engine/fold.h"

extern const kt_registry kt_the_registry;

#endif
