#include "proto/catalogue.h"
#include "base/text.h"
#include "event/stream.h"
#include "policy/published.h"
#include "proto/followup.h"
#include "proto/job.h"
#include "proto/reference.h"
#include "proto/sla.h"
#include "proto/ticket.h"

#define TYPE(nm, rec, who, en, zh, word)                                                           \
    {.name = (nm), .v = 1, .data = &rec##_record, .speaker = SPEAKER_##who, .title_en = (en), .title_zh = (zh), .verb = (word)}

/* In the order of the families in proto/README.md. A new version of a type stands behind the older one. */
static const struct event_type types[] = {
    TYPE("stream.created", stream_created, INTAKE, "stream created", "建立事件流", NULL),
    TYPE("principal.added", principal, OPERATOR, "principal added", "增加主体", NULL),
    TYPE("principal.changed", principal, OPERATOR, "principal changed", "变更主体", NULL),
    TYPE("principal.revoked", principal_revoked, OPERATOR, "principal revoked", "撤销主体", "revoke"),
    TYPE("source.enrolled", source_enrolled, OPERATOR, "source enrolled", "登记来源", NULL),
    TYPE("source.frozen", source_frozen, INTAKE, "source frozen", "冻结来源", NULL),
    TYPE("access.denied", access_denied, INTAKE, "access denied", "拒绝访问", NULL),
    TYPE("journal.sealed", journal_sealed, INTAKE, "journal sealed", "账册封存", NULL),
    TYPE("time.reached", time_reached, OPERATOR, "time reached", "时间推进", NULL),
    TYPE("event.parked", event_parked, ANY_WORKER, "event parked", "事件搁置", NULL),
    TYPE("event.released", event_released, OPERATOR, "event released", "事件放行", "release"),
    TYPE("event.dropped", event_dropped, OPERATOR, "event dropped", "事件舍弃", "drop"),
    TYPE("personal.erased", personal_erased, OPERATOR, "personal data erased", "删除个人信息", "erase"),
    TYPE("file.stored", file_stored, INTAKE, "file stored", "文件入库", NULL),

    TYPE("policy.published", policy_published, OPERATOR, "policy published", "发布服务政策", NULL),
    TYPE("calendar.published", calendar_published, OPERATOR, "calendar published", "发布工作日历", NULL),
    TYPE("site.updated", site_updated, OPERATOR, "site updated", "网点更新", "site"),
    TYPE("engineer.updated", engineer_updated, OPERATOR, "engineer updated", "工程师更新", "engineer"),
    TYPE("customer.updated", customer_updated, FACT, "customer updated", "客户更新", "customer"),
    TYPE("product.updated", product_updated, OPERATOR, "product updated", "产品更新", "product"),

    TYPE("unit.sold", unit_sold, FACT, "unit sold", "产品售出", "sell"),
    TYPE("unit.accepted", unit_accepted, FACT, "unit accepted", "产品验收", "commission"),
    TYPE("card.returned", card_returned, FACT, "warranty card returned", "三包回执卡寄回", "card"),
    TYPE("unit.exchanged", unit_exchanged, FACT, "unit exchanged", "产品更换", "exchange"),

    TYPE("ticket.registered", ticket_registered, FACT, "ticket registered", "工单登记", "register"),
    TYPE("ticket.assessed", ticket_assessed, DESK, "ticket assessed", "工单判定", NULL),
    TYPE("ticket.reclassified", ticket_reclassified, FACT, "ticket reclassified", "工单改类", "reclassify"),
    TYPE("ticket.replied", ticket_replied, FACT, "customer answered", "答复客户", "reply"),
    TYPE("ticket.noted", ticket_noted, FACT, "note", "备注", "note"),
    TYPE("ticket.waiting", ticket_waiting, FACT, "work waits", "等待", "wait"),
    TYPE("ticket.resumed", ticket_resumed, FACT, "work resumed", "恢复", "resume"),
    TYPE("ticket.cancelled", ticket_cancelled, FACT, "ticket cancelled", "工单取消", "cancel"),
    TYPE("ticket.explained", ticket_explained, FACT, "limit explained", "超时说明", "explain"),

    TYPE("approval.requested", approval_requested, DISPATCHER, "approval requested", "请求审批", NULL),
    TYPE("approval.decided", approval_decided, FACT, "approval decided", "审批决定", "decide"),

    TYPE("quote.requested", quote_requested, DISPATCHER, "quotation requested", "请求报价", NULL),
    TYPE("quote.issued", quote_issued, FACT, "quotation issued", "报价", "quote"),
    TYPE("quote.decided", quote_decided, FACT, "quotation decided", "客户确认报价", "answer-quote"),

    TYPE("job.offered", job_offered, DISPATCHER, "job offered", "派工", NULL),
    TYPE("job.accepted", job_accepted, FACT, "job accepted", "接受派工", "accept"),
    TYPE("job.declined", job_declined, FACT, "job declined", "拒绝派工", "decline"),
    TYPE("job.expired", job_expired, DISPATCHER, "offer expired", "派工超时未接", NULL),
    TYPE("job.arrived", job_arrived, FACT, "engineer arrived", "到达现场", "arrive"),
    TYPE("job.reported", job_reported, FACT, "job reported", "报告单", "report"),
    TYPE("job.withdrawn", job_withdrawn, DISPATCHER, "job withdrawn", "撤回派工", NULL),
    TYPE("job.handed_over", job_handed_over, FACT, "job handed over", "移交", "hand-over"),

    TYPE("ticket.resolved", ticket_resolved, DISPATCHER, "ticket resolved", "工单解决", "resolve"),
    TYPE("ticket.escalated", ticket_escalated, DISPATCHER, "ticket escalated", "升级处理", NULL),
    TYPE("ticket.closed", ticket_closed, FOLLOW_UP, "ticket closed", "工单关闭", NULL),
    TYPE("ticket.reopened", ticket_reopened, FACT, "ticket reopened", "工单重开", "reopen"),

    TYPE("sla.scheduled", sla_scheduled, WATCHDOG, "limits scheduled", "时限起算", NULL),
    TYPE("sla.warned", sla_warned, WATCHDOG, "limit near", "时限预警", NULL),
    TYPE("sla.breached", sla_breached, WATCHDOG, "limit broken", "超出时限", NULL),
    TYPE("sla.met", sla_met, WATCHDOG, "limit met", "按时完成", NULL),
    TYPE("sla.corrected", sla_corrected, WATCHDOG, "verdict corrected", "时限更正", NULL),

    TYPE("followup.due", followup_due, FOLLOW_UP, "callback due", "应回访", NULL),
    TYPE("followup.recorded", followup_recorded, FACT, "callback recorded", "回访记录", "callback"),
    TYPE("followup.missed", followup_missed, FOLLOW_UP, "callback missed", "漏回访", NULL),

    TYPE("report.closed", report_closed, OPERATOR, "period closed", "期间关账", "close-period"),
    TYPE("report.published", report_published, OPERATOR, "report published", "发布报表", NULL),
};

const struct event_type *event_type_at(size_t i)
{
    return i < COUNT_OF(types) ? &types[i] : NULL;
}

const struct event_type *event_type_find(const char *name, uint32_t v)
{
    const struct event_type *found = NULL;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (!text_equal(types[i].name, name))
            continue;
        if (types[i].v == v)
            return &types[i];
        if (v == 0 && (found == NULL || types[i].v > found->v))
            found = &types[i];
    }
    return found;
}

const struct event_type *event_type_of_verb(const char *verb)
{
    const struct event_type *found = NULL;
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (types[i].verb != NULL && text_equal(types[i].verb, verb) &&
            (found == NULL || types[i].v > found->v))
            found = &types[i];
    return found;
}
