#include "proto/custody.h"

static const struct field part_tagged_fields[] = {
    F_TEXT(part_tagged, tag, FIELD_REQUIRED, "tag on the old part"),
    F_TEXT(part_tagged, part, 0, "part number"),
    F_INT_DEF(part_tagged, quantity, 0, 1, 1, 100000, "pieces"),
    F_TEXT(part_tagged, serial, FIELD_KEYLIKE, "serial of the part, where it has one"),
    F_TEXT(part_tagged, job, 0, "job it comes from"),
    F_TEXT(part_tagged, site, FIELD_KEYLIKE, "where it is kept"),
};
const struct record part_tagged_record =
    RECORD(part_tagged, part_tagged_fields, "an old part was tagged and kept");

static const struct field part_received_fields[] = {
    F_TEXT(part_received, tag, 0, "tag on the old part; absent: all of the key's"),
    F_TEXT(part_received, part, 0, "part number"),
    F_INT_DEF(part_received, quantity, 0, 1, 1, 100000, "pieces"),
    F_TEXT(part_received, site, FIELD_KEYLIKE, "branch, department or store that has it now"),
    F_BOOL(part_received, records, 0, "the repair records are with it"),
};
const struct record part_received_record =
    RECORD(part_received, part_received_fields, "an old part came in");

static const struct field part_appraised_fields[] = {
    F_TEXT(part_appraised, verdict, FIELD_REQUIRED, "reusable, scrap, user-fault, supplier-fault"),
    F_TEXT(part_appraised, tag, 0, "tag on the old part; absent: all of the key's"),
    F_TEXT(part_appraised, part, 0, "part number"),
    F_INT_DEF(part_appraised, quantity, 0, 1, 1, 100000, "pieces"),
    F_TEXT(part_appraised, cause, 0, "cause code"),
    F_TEXT(part_appraised, note, 0, "remark, no personal data"),
};
const struct record part_appraised_record =
    RECORD(part_appraised, part_appraised_fields, "an old part was appraised");

static const struct field part_stored_fields[] = {
    F_TEXT(part_stored, store, FIELD_REQUIRED, "good, scrap"),
    F_TEXT(part_stored, tag, 0, "tag on the old part; absent: all of the key's"),
    F_TEXT(part_stored, part, 0, "part number"),
    F_INT_DEF(part_stored, quantity, 0, 1, 1, 100000, "pieces"),
    F_TEXT(part_stored, keeper, FIELD_KEYLIKE, "storekeeper 保管"),
};
const struct record part_stored_record =
    RECORD(part_stored, part_stored_fields, "an old part was put into a store");

static const struct field tool_issued_fields[] = {
    F_TEXT(tool_issued, tool, FIELD_REQUIRED, "what was issued"),
    F_TEXT(tool_issued, kind, 0, "tool, material, document"),
    F_TEXT(tool_issued, serial, FIELD_KEYLIKE, "its serial, where it has one"),
    F_INT_DEF(tool_issued, quantity, 0, 1, 1, 100000, "pieces"),
    F_TEXT(tool_issued, site, FIELD_KEYLIKE, "site that issues it"),
    F_TIME(tool_issued, due, 0, "to be back by"),
};
const struct record tool_issued_record =
    RECORD(tool_issued, tool_issued_fields, "a tool, material or document was issued");

static const struct field tool_returned_fields[] = {
    F_TEXT(tool_returned, tool, FIELD_REQUIRED, "what came back"),
    F_TEXT(tool_returned, serial, FIELD_KEYLIKE, "its serial, where it has one"),
    F_INT_DEF(tool_returned, quantity, 0, 1, 1, 100000, "pieces"),
    F_TEXT(tool_returned, condition, 0, "condition on return"),
    F_TEXT(tool_returned, site, FIELD_KEYLIKE, "site that takes it"),
};
const struct record tool_returned_record =
    RECORD(tool_returned, tool_returned_fields, "what was issued came back");
