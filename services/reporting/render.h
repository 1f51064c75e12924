/* Figures to files. The same figures give the same bytes, whenever and wherever. */
#ifndef AFTERCARE_REPORTING_RENDER_H
#define AFTERCARE_REPORTING_RENDER_H

#include "base/bytes.h"
#include "base/status.h"
#include "figures.h"

struct render_format {
    const char *suffix; /* "xlsx" */
    const char *media;
    /* Appends the file. STATUS_AGAIN: no room for a temporary file. */
    enum status (*render)(const struct figures *, struct buf *out);
};
/* NULL past the end. */
const struct render_format *render_format_at(size_t i);

enum status render_xlsx(const struct figures *, struct buf *out) MUST_CHECK;
enum status render_csv(const struct figures *, struct buf *out) MUST_CHECK;
enum status render_html(const struct figures *, struct buf *out) MUST_CHECK;
/* A table's chart as an inline <svg>; nothing when it has none. */
void render_svg(const struct figure_table *, struct buf *out);
/* Text of XML: & < > " and no control characters. */
void render_escape(const char *text, struct buf *out);

#endif
