/* SPDX-License-Identifier: MIT */
/* /console/figures.csv: view kpi for spreadsheets. */
#ifndef WEB_FIGURES_H
#define WEB_FIGURES_H

struct exchange;

int figures_serve(struct exchange *x);

#endif
