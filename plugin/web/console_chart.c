/* SPDX-License-Identifier: MIT */
/* Heights are shares of the largest bar, from zero, so that no difference is exaggerated. */
#include "web/console_chart.h"

enum { BARS_MOST = 200 };

static double chart_most(const json_t *bars) {
    double most = 0;

    for (size_t i = 0; i < json_array_size(bars); i++) {
        double value =
            json_number_value(json_object_get(json_array_get(bars, i), "value"));
        most = value > most ? value : most;
    }
    return most;
}

int console_chart(json_t *object, const json_t *bars) {
    size_t count = json_array_size(bars);
    double most = chart_most(bars);
    int failed = json_object_set_new(object, "most", json_integer((json_int_t)most)) |
                 json_object_set_new(object, "charted", json_boolean(most > 0));

    if (count == 0 || count > BARS_MOST) {
        return failed;
    }
    size_t step = CHART_WIDTH / count;
    for (size_t i = 0; !failed && i < count; i++) {
        json_t *bar = json_array_get(bars, i);
        double value = json_number_value(json_object_get(bar, "value"));
        int height = most > 0 ? (int)(value / most * CHART_HEIGHT + 0.5) : 0;
        failed =
            json_object_set_new(bar, "x", json_integer((json_int_t)(i * step))) |
            json_object_set_new(bar, "y", json_integer(CHART_HEIGHT - height)) |
            json_object_set_new(bar, "width",
                                json_integer((json_int_t)(step > 3 ? step - 3 : step))) |
            json_object_set_new(bar, "height", json_integer(height));
    }
    return failed;
}
