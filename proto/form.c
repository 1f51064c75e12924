#include "proto/form.h"

static const struct field form_printed_fields[] = {
    F_TEXT(form_printed, form, FIELD_REQUIRED,
           "form: report, satisfaction, dispatch, return-note …"),
    F_TEXT(form_printed, number, 0, "its number"),
    F_TEXT(form_printed, version, 0, "version of the form"),
};
const struct record form_printed_record =
    RECORD(form_printed, form_printed_fields, "a form was printed");

static const struct field form_signed_fields[] = {
    F_TEXT(form_signed, form, FIELD_REQUIRED,
           "form: report, satisfaction, dispatch, return-note …"),
    F_TEXT(form_signed, number, 0, "its number"),
    F_BOOL(form_signed, stamped, 0, "stamped as well"),
    F_TEXT(form_signed, scan, 0, "name of the scan, a stored file"),
    F_TEXT(form_signed, signer, FIELD_PERSONAL, "who signed"),
};
const struct record form_signed_record =
    RECORD(form_signed, form_signed_fields, "the signed copy came back");
