# SPDX-License-Identifier: MIT
# Pages write untrusted text through the template engine's escaping alone, into text and quoted attributes.
. tests/lib/tap.sh
pages=$(ls plugin/web/page/*.html)
tap_empty "nothing goes into a page unescaped" "$(grep -nE '\{\{\{|\{\{ *&' $pages)"
tap_empty "values of attributes are quoted" "$(grep -nE '[[:space:]][a-z-]+=\{\{' $pages)"
tap_empty "no script, style or event handler is written inline" "$(grep -niE '<style|style="|[ "]on[a-z]+="|javascript:|<script>|<script [^>]*>[^<]' $pages)"
tap_empty "links and pictures of others go through escape_url" \
    "$(grep -nE '"(image_url|url)", *json_object_get|json_object_get\([a-z]+, "(image_url|url)"\)' plugin/web/*.c | grep -v escape_url)"
tap_end
