/* The table of commands. Those that start and watch daemons stand in files of their own (CMakeLists.txt). */
#include "cli.h"
#include "base/text.h"

static const struct command commands[] = {
#ifdef CLI_HAS_UP
    {"up", command_up, false, "start all daemons on a data folder"},
#endif
#ifdef CLI_HAS_DOWN
    {"down", command_down, false, "stop them"},
#endif
#ifdef CLI_HAS_SUPERVISE
    {"supervise", command_supervise, false, "keep the daemons running (what `up` starts)"},
#endif
#ifdef CLI_HAS_DOCTOR
    {"doctor", command_doctor, false, "check the installation and say what is wrong"},
#endif
    {"status", command_status, true, "head, and how far every worker is"},
    {"policy", command_policy, true, "check, publish or show the rules in force"},
    {"calendar", command_calendar, false, "check a calendar, show it, count by it"},
    {"import", command_import, true, "send a CSV file by a mapping"},
    {"backtest", command_backtest, true, "what other rules would have changed"},
    {"append", command_append, true, "send events, one JSON object a line"},
    {"say", command_say, true, "send one event by hand"},
    {"file", command_file, true, "a ticket's files: fax, photo, signed report"},
    {"erase", command_erase, true, "erase a customer's personal data"},
    {"tail", command_tail, true, "read the journal, and follow it"},
    {"ticket", command_ticket, true, "one ticket's whole story"},
    {"tickets", command_list, true, "the register of tickets"},
    {"jobs", command_list, true, "jobs, and why a site was chosen"},
    {"limits", command_limits, true, "promises running, met and broken"},
    {"callbacks", command_list, true, "callbacks due, recorded, missed"},
    {"sites", command_list, true, "the service network and its load"},
    {"engineers", command_list, true, "who works where, knows what, and has how much to do"},
    {"refused", command_refused, true, "what was refused and why; correct it and send it again"},
    {"parked", command_parked, true, "events that a worker has set aside; retry or drop them"},
    {"webhook", command_webhook, true, "what is pushed to others by HTTP; retry or skip what they do not take"},
    {"summary", command_summary, true, "what happened, in figures"},
    {"report", command_report, true, "close a period and write its report"},
    {"keys", command_keys, true, "make, list, hand out, change and revoke keys"},
    {"rebuild", command_rebuild, false, "make a worker's tables anew from the journal"},
    {"verify", command_verify, true, "prove the journal and every worker's tables"},
    {"schema", command_schema, false, "the catalogue as AsyncAPI or JSON Schema"},
    {"help", command_help, false, "this list"},
};

const struct command *command_at(size_t i)
{
    return i < COUNT_OF(commands) ? &commands[i] : NULL;
}

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (text_equal(commands[i].name, name))
            return &commands[i];
    return NULL;
}
