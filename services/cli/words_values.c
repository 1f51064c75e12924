/* Words of the trade that stand as values in rows and events, by the field they stand in. Data keep
 * them in English (programs compare them); people read them in their language. */
#include "words.h"
#include <string.h>

static const struct {
    const char *fields; /* names with a comma behind each */
    const char *english, *chinese;
} values[] = {
    {"state,", "open", "未派"},
    {"state,", "offered", "已派出"},
    {"state,", "accepted", "已接受"},
    {"state,", "arrived", "已到达"},
    {"state,", "reported", "已报告"},
    {"state,", "declined", "已拒绝"},
    {"state,", "expired", "超时未接"},
    {"state,", "withdrawn", "已收回"},
    {"state,", "done", "已完成"},
    {"state,", "resolved", "已解决"},
    {"state,", "closed", "已关闭"},
    {"state,", "cancelled", "已取消"},
    {"state,", "running", "进行中"},
    {"state,", "paused", "等待中"},
    {"state,", "breached", "已超时"},
    {"state,", "met", "按时"},
    {"state,", "over", "已终止"},
    {"state,callback,", "scheduled", "待到期"},
    {"state,callback,", "due", "应回访"},
    {"state,callback,reason,", "recorded", "已回访"},
    {"state,callback,reason,", "missed", "漏回访"},
    {"state,callback,", "void", "已失效"},
    {"callback,", "none", "无"},
    {"outcome,", "done", "完成"},
    {"outcome,", "failed", "未修好"},
    {"outcome,", "advised", "已指导"},
    {"silence,", "expires", "失效"},
    {"silence,", "accepts", "接受"},
    {"implied,", "silence", "未答复"},
    {"implied,", "report", "已报告"},
    {"implied,reason,", "resolved", "已解决"},
    {"reason,", "first", "首派"},
    {"reason,", "next", "改派"},
    {"reason,", "tier-up", "上一层级"},
    {"reason,", "nobody-else", "别无网点"},
    {"reason,", "reopened", "重开"},
    {"reason,", "taken", "已有他人"},
    {"reason,", "cancelled", "已取消"},
    {"reason,", "moved-on", "已另派"},
    {"state,", "on", "在岗"},
    {"state,", "off", "离岗"},
    {"state,", "left", "离职"},
    {"removed,", "territory", "不在服务范围"},
    {"removed,", "product", "无该产品资质"},
    {"removed,", "closed", "停止接单"},
    {"removed,", "capacity", "已满"},
    {"removed,", "declined", "曾拒绝"},
    {"removed,", "tried", "已派过"},
    {"removed,", "no-skill", "无人会修该产品"},
    {"removed,", "off-duty", "无人在岗"},
    {"removed,", "no-pass", "无人持证"},
    {"removed,", "pass-expired", "证件过期"},
    {"removed,", "day-full", "当日已派满"},
    {"coverage,", "free", "免费"},
    {"coverage,", "paid", "收费"},
    {"coverage,", "partly", "部分免费"},
    {"coverage,", "unknown", "未判定"},
    {"priority,", "normal", "普通"},
    {"priority,", "urgent", "紧急"},
    {"priority,", "emergency", "特急"},
    {"verdict,", "met", "按时"},
    {"verdict,", "late", "按时（迟报）"},
    {"verdict,", "broken", "超时"},
    {"verdict,", "running", "未了结"},
    {"verdict,", "none", "无此时限"},
};

static int holds(const char *fields, const char *field)
{
    size_t n = strlen(field);
    for (const char *at = fields; (at = strstr(at, field)) != NULL; at += n)
        if ((at == fields || at[-1] == ',') && at[n] == ',')
            return 1;
    return 0;
}

const char *value_words(enum language language, const char *field, const char *value)
{
    if (language == ENGLISH)
        return value;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        if (strcmp(values[i].english, value) == 0 && holds(values[i].fields, field))
            return values[i].chinese;
    return value;
}
