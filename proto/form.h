/* Printed forms 单据, on whatever they are about. */
#ifndef AFTERCARE_PROTO_FORM_H
#define AFTERCARE_PROTO_FORM_H

#include "record/record.h"

struct form_printed {
    char form[48];
    char number[64];
    char version[32];
};
struct form_signed {
    char form[48];
    char number[64];
    bool stamped;
    char scan[120];
    char signer[120]; /* personal */
};

extern const struct record form_printed_record, form_signed_record;

#endif
