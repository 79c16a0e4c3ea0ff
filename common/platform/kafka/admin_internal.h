/* Shared by admin.c and admin_read.c. */
#ifndef CM_KAFKA_ADMIN_INTERNAL_H
#define CM_KAFKA_ADMIN_INTERNAL_H

#include "platform/kafka/admin.h"
#include "platform/kafka/internal.h"

struct cm_admin {
    const cm_config *config; /* must outlive the struct */
    rd_kafka_t *rk;
};

#endif
