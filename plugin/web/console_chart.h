/* SPDX-License-Identifier: MIT */
/* Bars as the numbers an SVG needs; the page shows the same as a table. Pure. */
#ifndef WEB_CONSOLE_CHART_H
#define WEB_CONSOLE_CHART_H

#include "base/json.h"

enum { CHART_WIDTH = 600, CHART_HEIGHT = 120 };

/* bars: [{"name", "value"}]. Each gains x, y, width, height within CHART_WIDTH by
   CHART_HEIGHT; object gains "most" (the largest value) and "charted" (there is one above
   0). 0 or -1. */
int console_chart(json_t *object, const json_t *bars);

#endif
