/* Words of `file`. */
#include "words.h"
#include <inttypes.h>

const struct word_pair file_words[] = {
    {"a ticket's files: fax, photo, signed report", "工单的附件：传真、照片、签字报告"},
    {"Attach a file to a ticket, fetch files, list them. At most 20 MiB each; a file is personal data, and "
     "erased with its customer's.",
     "为工单登记附件、取回附件、列出附件。每个至多 20 MiB；附件属个人信息，随客户信息一并删除。"},
    {"add: what people call it (default: the file's own name)", "add：名称（缺省：文件本名）"},
    {"add: media type, such as image/jpeg (default: by the name's end)", "add：媒体类型，如 image/jpeg（缺省：按扩展名）"},
    {"add: attach it although it was attached before", "add：即使曾经登记也再次登记"},
    {"get: the file to write, or a folder", "get：写入的文件或目录"},
    {"`aftercare file add --again` attaches it anew.", "`aftercare file add --again` 可重新登记。"},
    {"files waiting: %" PRId64 "; `aftercare --branch file list`\n", "待发送附件：%" PRId64 " 个；`aftercare --branch file list` 可查看\n"},
    {"the first %d", "仅前 %d 条"},
    {"stored: %s\n", "已入库：%s\n"},
    {"kept at the branch, sent when the line is there: %s\n", "已存于网点，线路恢复后发送：%s\n"},
    {"--name gives it another one.", "可用 --name 另取名称。"},
    {"its name is too long", "文件名过长"},
    {"`aftercare file list TICKET` shows what is awaited.", "`aftercare file list 工单号` 可查看尚待送达的附件。"},
    {"nothing is stored of %s", "%s 没有已入库的附件"},
    {"Several files: --out names a folder that is there.", "附件不止一个：--out 须为已存在的目录。"},
    {"%s is no folder", "%s 不是目录"},
    {"Run it again: it begins anew.", "请重新运行：将从头开始。"},
    {"the bytes that came have another digest", "收到的内容摘要不符"},
    {"no file with this digest is attached to a ticket", "没有工单登记过此摘要的附件"},
    {"the file belongs to a ticket that this principal may not see, or personal data are not for it",
     "该附件属于此主体无权查看的工单，或其无权查看个人信息"},
    {"its customer's personal data were erased, and the file with them", "客户的个人信息已删除，附件一并删除"},
    {"the file is announced, but its bytes have not come", "附件已登记，内容尚未送达"},
    {"the bytes that arrived are not this file's; intake has thrown them away", "到达的内容与摘要不符，已丢弃"},
    {"too many files were begun and not finished", "未传完的附件过多"},
    {"more than one principal may bring in a day: again tomorrow", "已达该主体当日上传上限，请明日再传"},
    {"%s is in use", "%s 正在使用中"},
    {"the file is longer than it was when it was attached", "文件比登记时更长"},
};
const size_t file_words_n = sizeof(file_words) / sizeof(file_words[0]);
