/* The sentences of --help in Chinese. */
#include "words.h"
#include <string.h>

static const struct {
    const char *english, *chinese;
} help[] = {
    {"After-sales service: everything an operator does by hand.",
     "售后服务：运维人员的全部手工操作。"},
    {"settings file", "配置文件"},
    {"settings file (default: DATA/aftercare.yaml or /etc/aftercare/aftercare.yaml)",
     "配置文件（缺省：数据目录下 aftercare.yaml，或 /etc/aftercare/aftercare.yaml）"},
    {"data folder", "数据目录"},
    {"data folder (default: AFTERCARE_DATA, then the usual place)",
     "数据目录（缺省：AFTERCARE_DATA，其次为惯常位置）"},
    {"print for programs", "输出供程序读取"},
    {"Common options:", "公共选项："},
    {"Give this help list", "显示本帮助"},
    {"Give a short usage message", "显示简短用法"},
    {"Print program version", "显示版本"},
    {"Examples:", "示例："},
    {"Example:", "示例："},
    {"Print the head, and how far every worker is. Exit code 1: a worker does not answer.",
     "显示事件流末尾位置与各服务进度。退出码 1：有服务不应答。"},
    {"Check a policy, publish it with the calendars it needs, or show one: of a file, or the "
     "one in force.",
     "检查政策，连同所需日历一并发布，或显示某文件或现行的政策。"},
    {"where the calendars it names lie (default: ../calendars beside the policy)",
     "其所引日历所在目录（缺省：政策旁的 ../calendars）"},
    {"Check a calendar, show it, or count by it.", "检查、查看工作日历，或按其计时。"},
    {"show this month, day by day", "逐日显示该月"},
    {"Send a CSV file by a mapping. A second run goes on where the first ended; nothing is sent "
     "twice.",
     "按映射导入 CSV 文件。再次运行则从上次结束处继续，不会重复发送。"},
    {"what a row means (deploy/mappings/README.md)", "各行的含义（见 deploy/mappings/README.md）"},
    {"where bad rows go, with line, column and reason (default: NAME.rejects.csv here)",
     "坏行去处，附行、列与原因（缺省：当前目录 NAME.rejects.csv）"},
    {"leave out what is later; a stepped stream's time goes on to it",
     "舍去其后的事件；分步事件流的时间走到此刻"},
    {"insist on moving the stream's time (done anyway where import is its clock)",
     "要求推动事件流时间（导入者为时钟来源时本就如此）"},
    {"length of a step (default 1h)", "步长（缺省 1h）"},
    {"who imports (default: import)", "以何人名义导入（缺省：import）"},
    {"Send events, one JSON object a line: {type, key, at, by, data}. Personal fields are written "
     "in data and travel "
     "apart.",
     "发送事件，每行一个 JSON 对象：{type, key, at, by, data}。个人信息写在 data "
     "里，自动分开传送。"},
    {"send it although it was sent before", "即使曾发送过也重新发送"},
    {"Send one event by hand.", "手工发送一个事件。"},
    {"Read the journal.", "读取事件账册。"},
    {"where to begin (default: start; with --follow: now)",
     "从何处开始（缺省：start；与 --follow 同用时为 now）"},
    {"go on as the journal grows", "随账册增长持续显示"},
    {"only types that begin so; may be repeated", "仅以此开头的类型；可重复"},
    {"only regions that begin so; may be repeated", "仅以此开头的地区；可重复"},
    {"only this key; may be repeated", "仅此键；可重复"},
    {"how (default: table)", "格式（缺省：table）"},
    {"One ticket's whole story, in order: when, what, who, why.",
     "一张工单的全部经过，依次为何时、何事、何人、缘由。"},
    {"how each was counted: windows, waits, lines, levels", "每项怎样计时：时段、等待、条款、升级"},
    {"the candidates of the choice, what removed each, scores",
     "选择时的候选网点、各自排除原因与得分"},
    {"at most so many rows (default 50, 0: all)", "至多行数（缺省 50，0 为全部）"},
    {"offers and jobs", "派工"},
    {"the register of tickets", "工单台账"},
    {"promises and how they stand", "服务时限及其状态"},
    {"callbacks to be made and made", "应做与已做的回访"},
    {"the network and its load", "服务网点与负荷"},
    {"engineers and their load", "工程师与负荷"},
    {"events that were refused, and why", "被拒绝的事件与原因"},
    {"List the events that a worker has set aside.", "列出各服务搁置的事件。"},
    {"Close a month where it is open and write its report. Run again it writes the same bytes.",
     "月份未关账则先关账，并输出月报。再次运行输出完全相同的内容。"},
    {"the month", "月份"},
    {"close the month although it is not over", "月份未结束也关账"},
    {"where the files go (default: here)", "文件去处（缺省：当前目录）"},
    {"Make a worker's tables anew from the journal. Decisions are not taken again.",
     "由账册重建某服务的表。已作的决定不会重做。"},
    {"make them beside the living ones and compare instead", "仅在旁重建并比对"},
    {"Prove that the journal has no hole and has not changed, and that every worker's tables are "
     "what it says.",
     "证明账册无缺号、未被改动，且各服务的表与之相符。"},
    {"Print the catalogue of events: as a table, one type's fields, or as a document.",
     "输出事件目录：表格、单个类型的字段，或文档。"},
    {"what may be asked", "可查询的问题"},
    {"JSON Schema of the events' data", "事件数据的 JSON Schema"},
    {"Tell the same facts under other rules, and print what would have been different.",
     "以另一套规则重演同样的事实，列出会有哪些不同。"},
    {"the rules to try", "要试的规则"},
    {"the rules to compare with (with --journal: those of the stream)",
     "用来比较的规则（用 --journal 时缺省为事件流自己的）"},
    {"what happened: JSON lines, or CSV with --mapping", "发生过的事：JSON 行，或配 --mapping 的 CSV"},
    {"what happened: the living stream", "发生过的事：现有事件流"},
    {"sites, units and customers, told first", "网点、机器、客户，先于一切"},
    {"leave out what is later; time goes on to it", "略去此后的事实；时间走到此刻"},
    {"length of a step (default: exact time)", "步长（缺省：精确时间）"},
    {"write the events that came under the new rules", "写出新规则下产生的事件"},
};

const char *help_words(const char *english)
{
    for (size_t i = 0; i < sizeof(help) / sizeof(help[0]); i++)
        if (strcmp(help[i].english, english) == 0)
            return help[i].chinese;
    return NULL;
}
