#include "proto/catalogue.h"
#include "base/text.h"
#include "event/stream.h"
#include "policy/published.h"
#include "proto/call.h"
#include "proto/check.h"
#include "proto/contact.h"
#include "proto/contract.h"
#include "proto/custody.h"
#include "proto/finding.h"
#include "proto/followup.h"
#include "proto/form.h"
#include "proto/job.h"
#include "proto/measure.h"
#include "proto/network.h"
#include "proto/part.h"
#include "proto/quality.h"
#include "proto/reference.h"
#include "proto/sla.h"
#include "proto/staff.h"
#include "proto/ticket.h"
#include "proto/unit.h"
#include <assert.h>
#include <string.h>

/* What service is owed to; what is made better after a complaint, an opinion, a survey or by figures. */
#define KEY_OWED (KEY_TICKET | KEY_UNIT | KEY_CONTRACT | KEY_CUSTOMER)
#define KEY_IMPROVED (KEY_TICKET | KEY_OPINION | KEY_SURVEY | KEY_PRODUCT)

#define TYPE(nm, rec, who, on, en, zh, word)                                                       \
    {.name = (nm), .v = 1, .data = &rec##_record, .speaker = SPEAKER_##who, .keys = (on), .title_en = (en), .title_zh = (zh), .verb = (word)}

/* In the order of the families in proto/README.md. A new version of a type stands behind the older one. */
static const struct event_type types[] = {
    TYPE("stream.created", stream_created, INTAKE, KEY_OTHER, "stream created", "建立事件流", NULL),
    TYPE("principal.added", principal, OPERATOR, KEY_OTHER, "principal added", "增加主体", NULL),
    TYPE("principal.changed", principal, OPERATOR, KEY_OTHER, "principal changed", "变更主体", NULL),
    TYPE("principal.revoked", principal_revoked, OPERATOR, KEY_OTHER, "principal revoked", "撤销主体", "revoke"),
    TYPE("source.enrolled", source_enrolled, OPERATOR, KEY_OTHER, "source enrolled", "登记来源", NULL),
    TYPE("source.frozen", source_frozen, INTAKE, KEY_OTHER, "source frozen", "冻结来源", NULL),
    TYPE("access.denied", access_denied, INTAKE, KEY_OTHER, "access denied", "拒绝访问", NULL),
    TYPE("access.read", access_read, INTAKE, KEY_OTHER, "personal data read", "查阅个人信息", NULL),
    TYPE("journal.sealed", journal_sealed, INTAKE, KEY_OTHER, "journal sealed", "账册封存", NULL),
    TYPE("time.reached", time_reached, OPERATOR, KEY_OTHER, "time reached", "时间推进", NULL),
    TYPE("event.parked", event_parked, ANY_WORKER, KEY_ANY, "event parked", "事件搁置", NULL),
    TYPE("event.released", event_released, OPERATOR, KEY_ANY, "event released", "事件放行", "release"),
    TYPE("event.dropped", event_dropped, OPERATOR, KEY_ANY, "event dropped", "事件舍弃", "drop"),
    TYPE("event.corrected", event_corrected, OPERATOR, KEY_ANY, "refused event corrected", "拒收事件更正", NULL),
    TYPE("personal.erased", personal_erased, OPERATOR, KEY_CUSTOMER, "personal data erased", "删除个人信息", "erase"),
    TYPE("file.attached", file_attached, FACT, KEY_TICKET, "file attached", "附件登记", NULL),
    TYPE("file.stored", file_stored, INTAKE, KEY_TICKET, "file stored", "文件入库", NULL),

    TYPE("policy.published", policy_published, OPERATOR, KEY_OTHER, "policy published", "发布服务政策", NULL),
    TYPE("calendar.published", calendar_published, OPERATOR, KEY_OTHER, "calendar published", "发布工作日历", NULL),
    TYPE("site.updated", site_updated, OPERATOR, KEY_SITE, "site updated", "网点更新", "site"),
    TYPE("engineer.updated", engineer_updated, OPERATOR, KEY_PERSON, "engineer updated", "工程师更新", "engineer"),
    TYPE("customer.updated", customer_updated, FACT, KEY_CUSTOMER, "customer updated", "客户更新", "customer"),
    TYPE("product.updated", product_updated, OPERATOR, KEY_PRODUCT, "product updated", "产品更新", "product"),
    TYPE("price.changed", price_changed, OPERATOR, KEY_PRODUCT, "price changed", "价格变动", "price"),
    TYPE("season.closed", season_closed, OPERATOR, KEY_PRODUCT, "season closed", "作业期结束", NULL),
    TYPE("archive.read", archive_read, FACT, KEY_CUSTOMER, "customer's file read", "查阅客户档案", NULL),

    TYPE("site.proposed", site_proposed, FACT, KEY_SITE, "site proposed", "建站申请", "propose-site"),
    TYPE("site.inspected", site_inspected, FACT, KEY_SITE, "site inspected", "建站考察", "inspect-site"),
    TYPE("site.reviewed", site_reviewed, FACT, KEY_SITE, "site reviewed", "建站审核", "review-site"),
    TYPE("site.graded", site_graded, FACT, KEY_SITE, "site graded", "网点评级", "grade"),
    TYPE("agreement.signed", agreement_signed, FACT, KEY_SITE, "agreement signed", "签订代理协议", "agreement"),
    TYPE("licence.recorded", licence_recorded, FACT, KEY_SITE, "licence recorded", "登记证照", "licence"),
    TYPE("person.appraised", person_appraised, FACT, KEY_PERSON, "person appraised", "人员考核", "appraise"),
    TYPE("target.set", target_set, FACT, KEY_SITE | KEY_PERSON, "target set", "下达目标", "target"),

    TYPE("unit.sold", unit_sold, FACT, KEY_UNIT, "unit sold", "产品售出", "sell"),
    TYPE("unit.accepted", unit_accepted, FACT, KEY_UNIT, "unit accepted", "产品验收", "commission"),
    TYPE("card.returned", card_returned, FACT, KEY_UNIT, "warranty card returned", "三包回执卡寄回", "card"),
    TYPE("unit.exchanged", unit_exchanged, FACT, KEY_UNIT, "unit exchanged", "产品更换", "exchange"),
    TYPE("test.proposed", test_proposed, FACT, KEY_UNIT, "test proposed", "提出验收试验方案", "propose-test"),
    TYPE("test.agreed", test_agreed, FACT, KEY_UNIT, "test agreed", "商定验收试验方案", "agree-test"),
    TYPE("phase.started", phase_started, FACT, KEY_UNIT | KEY_CONTRACT, "phase started", "阶段开始", "phase"),

    TYPE("call.rang", call_rang, FACT, KEY_CALL, "telephone rings", "来电振铃", NULL),
    TYPE("call.received", call_received, FACT, KEY_CALL, "call answered", "接听来电", "call"),
    TYPE("call.missed", call_missed, FACT, KEY_CALL, "call missed", "漏接来电", "missed-call"),
    TYPE("duty.scheduled", duty_scheduled, FACT, KEY_PERSON | KEY_LINE, "on duty", "排班", "duty"),
    TYPE("duty.failed", duty_failed, FACT, KEY_PERSON | KEY_LINE, "duty not kept", "脱岗", "duty-failed"),
    TYPE("post.rotated", post_rotated, FACT, KEY_PERSON, "post rotated", "轮岗", "rotate"),
    TYPE("pass.granted", pass_granted, FACT, KEY_PERSON, "pass granted", "颁发上岗证", "grant-pass"),
    TYPE("training.planned", training_planned, FACT, KEY_OWED | KEY_TRAINING | KEY_SITE, "training planned", "计划培训", "plan-training"),
    TYPE("training.held", training_held, FACT, KEY_OWED | KEY_TRAINING | KEY_SITE, "training held", "举办培训", "train"),
    TYPE("operator.changed", operator_changed, FACT, KEY_CUSTOMER | KEY_UNIT | KEY_CONTRACT, "operator changed", "操作人员变动", "operator-changed"),

    TYPE("contract.signed", contract_signed, FACT, KEY_CONTRACT, "contract signed", "签订合同", "sign"),
    TYPE("milestone.reached", milestone_reached, FACT, KEY_CONTRACT | KEY_TICKET, "milestone reached", "达到合同节点", "milestone"),
    TYPE("notice.sent", notice_sent, FACT, KEY_OWED, "notice sent", "发出通知", "notice"),
    TYPE("payment.received", payment_received, FACT, KEY_CONTRACT | KEY_ORDER | KEY_TICKET, "payment received", "收款", "pay"),
    TYPE("order.progressed", order_progressed, FACT, KEY_ORDER, "order progressed", "订单进度", "progress"),
    TYPE("shipment.released", shipment_released, FACT, KEY_ORDER, "shipment released", "放行发货", "ship"),

    TYPE("part.ordered", part_ordered, FACT, KEY_ORDER | KEY_TICKET, "parts ordered", "订购配件", "order-parts"),
    TYPE("part.supplied", part_supplied, FACT, KEY_ORDER | KEY_TICKET, "parts supplied", "发出配件", "supply-parts"),
    TYPE("part.returned", part_returned, FACT, KEY_ORDER | KEY_TICKET, "old parts returned", "旧件返回", "return-parts"),
    TYPE("part.tagged", part_tagged, FACT, KEY_ORDER | KEY_TICKET, "old part tagged", "旧件挂签", "tag-part"),
    TYPE("part.received", part_received, FACT, KEY_ORDER | KEY_TICKET, "old part received", "旧件接收", "receive-part"),
    TYPE("part.appraised", part_appraised, FACT, KEY_ORDER | KEY_TICKET, "old part appraised", "旧件鉴定", "appraise-part"),
    TYPE("part.stored", part_stored, FACT, KEY_ORDER | KEY_TICKET, "old part stored", "旧件入库", "store-part"),
    TYPE("material.requested", material_requested, FACT, KEY_ORDER | KEY_TICKET, "material requested", "申请物料", "request-material"),
    TYPE("tool.issued", tool_issued, FACT, KEY_PERSON, "tool issued", "发放工具资料", "issue-tool"),
    TYPE("tool.returned", tool_returned, FACT, KEY_PERSON, "tool returned", "归还工具资料", "return-tool"),

    TYPE("document.registered", document_registered, FACT, KEY_DOCUMENT, "document registered", "收发文登记", "document"),
    TYPE("form.printed", form_printed, FACT, KEY_ANY, "form printed", "打印单据", NULL),
    TYPE("form.signed", form_signed, FACT, KEY_ANY, "form signed", "单据签回", "form"),

    TYPE("ticket.registered", ticket_registered, FACT, KEY_TICKET, "ticket registered", "工单登记", "register"),
    TYPE("ticket.assessed", ticket_assessed, DESK, KEY_TICKET, "ticket assessed", "工单判定", NULL),
    TYPE("ticket.reclassified", ticket_reclassified, FACT, KEY_TICKET, "ticket reclassified", "工单改类", "reclassify"),
    TYPE("ticket.replied", ticket_replied, FACT, KEY_TICKET, "customer answered", "答复客户", "reply"),
    TYPE("ticket.noted", ticket_noted, FACT, KEY_TICKET, "note", "备注", "note"),
    TYPE("ticket.waiting", ticket_waiting, FACT, KEY_TICKET, "work waits", "等待", "wait"),
    TYPE("ticket.resumed", ticket_resumed, FACT, KEY_TICKET, "work resumed", "恢复", "resume"),
    TYPE("ticket.cancelled", ticket_cancelled, FACT, KEY_TICKET, "ticket cancelled", "工单取消", "cancel"),
    TYPE("ticket.explained", ticket_explained, FACT, KEY_TICKET, "limit explained", "超时说明", "explain"),
    TYPE("ticket.filed", ticket_filed, FACT, KEY_TICKET, "ticket filed", "备案", "file"),
    TYPE("ticket.planned", ticket_planned, FACT, KEY_TICKET, "handling planned", "制定处理方案", "plan"),
    TYPE("appointment.agreed", appointment_agreed, FACT, KEY_TICKET, "appointment agreed", "约定时间", "appoint"),
    TYPE("customer.informed", customer_informed, FACT, KEY_ANY, "customer informed", "告知客户", "inform"),
    TYPE("help.requested", help_requested, FACT, KEY_TICKET, "help requested", "请求支援", "ask-help"),
    TYPE("help.given", help_given, FACT, KEY_TICKET, "help given", "提供支援", "help"),

    TYPE("fault.attributed", fault_attributed, FACT, KEY_TICKET, "fault attributed", "责任判定", "attribute"),
    TYPE("quality.reported", quality_reported, FACT, KEY_TICKET | KEY_UNIT | KEY_PRODUCT, "quality problem reported", "质量问题上报", "report-quality"),
    TYPE("supplier.asked", supplier_asked, FACT, KEY_TICKET, "supplier asked", "联系供应商", "ask-supplier"),
    TYPE("supplier.answered", supplier_answered, FACT, KEY_TICKET, "supplier answered", "供应商答复", "supplier-answer"),
    TYPE("inspection.requested", inspection_requested, FACT, KEY_TICKET, "inspection requested", "申请检验", "ask-inspection"),
    TYPE("inspection.concluded", inspection_concluded, FACT, KEY_TICKET, "inspection concluded", "检验结论", "inspection"),
    TYPE("accident.appraised", accident_appraised, FACT, KEY_TICKET, "accident appraised", "质量事故鉴定", "appraise-accident"),
    TYPE("solution.recorded", solution_recorded, FACT, KEY_DOCUMENT, "solution recorded", "登记解决方案", "solution"),

    TYPE("unit.received", unit_received, FACT, KEY_TICKET, "unit received", "收到返修品", "receive"),
    TYPE("unit.sent_back", unit_sent_back, FACT, KEY_TICKET, "unit sent back", "寄回返修品", "send-back"),
    TYPE("unit.delivered", unit_delivered, FACT, KEY_TICKET, "unit delivered", "交付客户", "deliver"),
    TYPE("unit.rejected", unit_rejected, FACT, KEY_TICKET, "unit rejected", "退货", "reject"),
    TYPE("sample.sent", sample_sent, FACT, KEY_TICKET | KEY_ORDER, "sample sent", "寄送样品", "send-sample"),
    TYPE("guest.announced", guest_announced, FACT, KEY_TICKET, "guests announced", "来访预告", "announce"),
    TYPE("guest.hosted", guest_hosted, FACT, KEY_TICKET, "guests hosted", "接待来访", "host"),

    TYPE("approval.requested", approval_requested, DISPATCHER, KEY_TICKET, "approval requested", "请求审批", NULL),
    TYPE("approval.decided", approval_decided, FACT, KEY_TICKET, "approval decided", "审批决定", "decide"),

    TYPE("quote.requested", quote_requested, DISPATCHER, KEY_TICKET, "quotation requested", "请求报价", NULL),
    TYPE("quote.issued", quote_issued, FACT, KEY_TICKET, "quotation issued", "报价", "quote"),
    TYPE("quote.decided", quote_decided, FACT, KEY_TICKET, "quotation decided", "客户确认报价", "answer-quote"),

    TYPE("job.offered", job_offered, DISPATCHER, KEY_TICKET, "job offered", "派工", NULL),
    TYPE("job.accepted", job_accepted, FACT, KEY_TICKET, "job accepted", "接受派工", "accept"),
    TYPE("job.declined", job_declined, FACT, KEY_TICKET, "job declined", "拒绝派工", "decline"),
    TYPE("job.expired", job_expired, DISPATCHER, KEY_TICKET, "offer expired", "派工超时未接", NULL),
    TYPE("job.arrived", job_arrived, FACT, KEY_TICKET, "engineer arrived", "到达现场", "arrive"),
    TYPE("job.reported", job_reported, FACT, KEY_TICKET, "job reported", "报告单", "report"),
    TYPE("job.withdrawn", job_withdrawn, DISPATCHER, KEY_TICKET, "job withdrawn", "撤回派工", NULL),
    TYPE("job.handed_over", job_handed_over, FACT, KEY_TICKET, "job handed over", "移交", "hand-over"),
    TYPE("job.checked", job_checked, FACT, KEY_TICKET, "hand-over checked", "检查落实", "check"),
    TYPE("job.spot_checked", job_spot_checked, FACT, KEY_TICKET, "repair spot-checked", "抽查维修", "spot-check"),
    TYPE("briefing.confirmed", briefing_confirmed, FACT, KEY_TICKET, "safety briefing confirmed", "确认安全交底", "brief"),
    TYPE("hazard.found", hazard_found, FACT, KEY_TICKET, "hazard found", "发现隐患", "hazard"),
    TYPE("hazard.cleared", hazard_cleared, FACT, KEY_TICKET, "hazard cleared", "隐患消除", "clear-hazard"),

    TYPE("ticket.resolved", ticket_resolved, DISPATCHER, KEY_TICKET, "ticket resolved", "工单解决", "resolve"),
    TYPE("ticket.escalated", ticket_escalated, DISPATCHER, KEY_TICKET, "ticket escalated", "升级处理", NULL),
    TYPE("ticket.closed", ticket_closed, FOLLOW_UP, KEY_TICKET, "ticket closed", "工单关闭", NULL),
    TYPE("ticket.reopened", ticket_reopened, FACT, KEY_TICKET, "ticket reopened", "工单重开", "reopen"),

    TYPE("sla.scheduled", sla_scheduled, WATCHDOG, KEY_ANY, "limits scheduled", "时限起算", NULL),
    TYPE("sla.warned", sla_warned, WATCHDOG, KEY_ANY, "limit near", "时限预警", NULL),
    TYPE("sla.breached", sla_breached, WATCHDOG, KEY_ANY, "limit broken", "超出时限", NULL),
    TYPE("sla.met", sla_met, WATCHDOG, KEY_ANY, "limit met", "按时完成", NULL),
    TYPE("sla.corrected", sla_corrected, WATCHDOG, KEY_ANY, "verdict corrected", "时限更正", NULL),

    TYPE("followup.due", followup_due, FOLLOW_UP, KEY_TICKET, "callback due", "应回访", NULL),
    TYPE("followup.recorded", followup_recorded, FACT, KEY_TICKET, "callback recorded", "回访记录", "callback"),
    TYPE("followup.missed", followup_missed, FOLLOW_UP, KEY_TICKET, "callback missed", "漏回访", NULL),
    TYPE("visit.due", visit_due, FOLLOW_UP, KEY_OWED | KEY_SITE, "visit due", "应走访", NULL),
    TYPE("visit.recorded", visit_recorded, FACT, KEY_OWED | KEY_SITE, "visit recorded", "走访记录", "visit"),

    TYPE("opinion.forwarded", opinion_forwarded, FACT, KEY_TICKET | KEY_OPINION, "opinion forwarded", "转达意见", "forward"),
    TYPE("opinion.judged", opinion_judged, FACT, KEY_TICKET | KEY_OPINION, "opinion judged", "意见处理结论", "judge-opinion"),
    TYPE("measure.set", measure_set, FACT, KEY_IMPROVED, "measure set", "制定措施", "measure"),
    TYPE("measure.done", measure_done, FACT, KEY_IMPROVED, "measure done", "措施完成", "measure-done"),
    TYPE("measure.verified", measure_verified, FACT, KEY_IMPROVED, "measure verified", "措施验证", "verify-measure"),
    TYPE("conduct.judged", conduct_judged, FACT, KEY_TICKET | KEY_PERSON, "conduct judged", "行为投诉结论", "judge-conduct"),
    TYPE("survey.planned", survey_planned, FACT, KEY_SURVEY, "survey planned", "计划调查", "plan-survey"),
    TYPE("survey.answered", survey_answered, FACT, KEY_SURVEY, "survey answered", "填写调查表", "answer-survey"),
    TYPE("survey.closed", survey_closed, FACT, KEY_SURVEY, "survey closed", "调查结束", "close-survey"),
    TYPE("campaign.opened", campaign_opened, FACT, KEY_CAMPAIGN, "campaign opened", "开展服务活动", "open-campaign"),
    TYPE("campaign.closed", campaign_closed, FACT, KEY_CAMPAIGN, "campaign closed", "服务活动结束", "close-campaign"),
    TYPE("market.noted", market_noted, FACT, KEY_ANY, "market noted", "市场信息", "market"),
    TYPE("improvement.proposed", improvement_proposed, FACT, KEY_IMPROVED, "improvement proposed", "改进建议", "improve"),
    TYPE("feedback.judged", feedback_judged, FACT, KEY_TICKET | KEY_SITE, "feedback judged", "反馈评定", "judge-feedback"),
    TYPE("demonstration.reported", demonstration_reported, FACT, KEY_CUSTOMER | KEY_UNIT, "trial reported", "试验报告", "demonstration"),

    TYPE("report.closed", report_closed, OPERATOR, KEY_OTHER, "period closed", "期间关账", "close-period"),
    TYPE("report.published", report_published, OPERATOR, KEY_OTHER, "report published", "发布报表", NULL),
};

const struct event_type *event_type_at(size_t i)
{
    return i < COUNT_OF(types) ? &types[i] : NULL;
}

const struct event_type *event_type_find(const char *name, uint32_t v)
{
    const struct event_type *found = NULL;
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        /* Once per event on intake's path: most differ in the first letter. */
        if (types[i].name[0] != name[0] || !text_equal(types[i].name, name))
            continue;
        if (types[i].v == v)
            return &types[i];
        if (v == 0 && (found == NULL || types[i].v > found->v))
            found = &types[i];
    }
    return found;
}

const struct record *event_type_data(const char *name)
{
    const struct event_type *type = event_type_find(name, 0);
    return type != NULL ? type->data : NULL;
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

bool event_type_runs_on(const struct event_type *type, enum event_key key)
{
    return (type->keys & (uint32_t)key) != 0;
}

void event_keys_print(uint32_t set, char out[EVENT_KEYS_TEXT_MAX])
{
    static const char *const names[] = {"ticket",  "unit",     "call",     "contract", "order",   "person",  "line",   "site",
                                        "customer", "product", "document", "training", "campaign", "opinion", "survey", "other"};
    static_assert(KEY_ANY == (1U << COUNT_OF(names)) - 1, "each kind of key has its word");
    out[0] = '\0';
    if (set == KEY_ANY) {
        text_copy(out, EVENT_KEYS_TEXT_MAX, "any");
        return;
    }
    for (size_t i = 0, n = 0; i < COUNT_OF(names); i++)
        if ((set & (1U << i)) != 0) {
            text_format(out + n, EVENT_KEYS_TEXT_MAX - n, "%s%s", n > 0 ? "|" : "", names[i]);
            n += strlen(out + n);
        }
}
