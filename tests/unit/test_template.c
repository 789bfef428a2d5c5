/* SPDX-License-Identifier: MIT */
/* Mustache by table: every rule of the specification but lambdas, then hostile templates and
   data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/template.h"

struct good {
    const char *name, *template, *data, *expected, *partials;
    enum template_escape escape;
};

struct bad {
    const char *name, *template, *says;
};

#define HTML(name, template, data, expected)                                             \
    { name, template, data, expected, NULL, TEMPLATE_HTML }
#define WITH(name, template, data, expected, partials)                                   \
    { name, template, data, expected, partials, TEMPLATE_HTML }

static const struct good goods[] = {
    /* interpolation */
    HTML("plain text stays", "Braces {alone} stay.\n", "{}", "Braces {alone} stay.\n"),
    HTML("empty template", "", "{}", ""),
    HTML("one variable", "Dear {{who}}!", "{\"who\":\"Zane\"}", "Dear Zane!"),
    HTML("not twice", "{{a}}", "{\"a\":\"{{b}}\",\"b\":\"no\"}", "{{b}}"),
    HTML("escapes five", "{{x}}", "{\"x\":\"<a href=\\\"'&'\\\">\"}",
         "&lt;a href=&quot;&#39;&amp;&#39;&quot;&gt;"),
    HTML("triple is raw", "{{{x}}}", "{\"x\":\"<b>&\\\"\"}", "<b>&\""),
    HTML("ampersand is raw", "{{&x}}", "{\"x\":\"<b>&\\\"\"}", "<b>&\""),
    {"text escapes nothing", "{{x}}{{{x}}}", "{\"x\":\"<&>\"}", "<&><&>", NULL,
     TEMPLATE_TEXT},
    HTML("entity is escaped again", "{{x}}", "{\"x\":\"&lt;\"}", "&amp;lt;"),
    HTML("integer", "{{n}} km", "{\"n\":85}", "85 km"),
    HTML("negative integer", "{{n}}", "{\"n\":-7}", "-7"),
    HTML("large integer", "{{n}}", "{\"n\":9007199254740993}", "9007199254740993"),
    HTML("integer raw", "{{{n}}}{{&n}}", "{\"n\":12}", "1212"),
    HTML("decimal", "{{n}}", "{\"n\":1.210}", "1.21"),
    HTML("decimal short", "{{n}}", "{\"n\":0.1}", "0.1"),
    HTML("decimal raw", "{{{n}}} {{&n}}", "{\"n\":4.35}", "4.35 4.35"),
    HTML("whole decimal", "{{n}}", "{\"n\":3.0}", "3.0"),
    HTML("zero prints", "{{n}}", "{\"n\":0}", "0"),
    HTML("true and false are words", "{{t}} {{f}}", "{\"t\":true,\"f\":false}",
         "true false"),
    HTML("null is nothing", "({{n}})({{{n}}})({{&n}})", "{\"n\":null}", "()()()"),
    HTML("missing is nothing", "({{n}})({{{n}}})({{&n}})", "{}", "()()()"),
    HTML("object and list print nothing", "({{o}})({{l}})", "{\"o\":{\"a\":1},\"l\":[1]}",
         "()()"),
    HTML("padding", "|{{ s }}|{{{ s }}}|{{& s }}|{{\n s\t}}|", "{\"s\":\"-\"}",
         "|-|-|-|-|"),
    HTML("space around stays", "| {{s}} | {{{s}}} |", "{\"s\":\"-\"}", "| - | - |"),
    HTML("never standalone", "  {{s}}\n  {{{s}}}\n  {{&s}}\n", "{\"s\":\"-\"}",
         "  -\n  -\n  -\n"),
    HTML("empty value alone keeps its line", "a\n{{s}}\nb", "{}", "a\n\nb"),
    HTML("braces around a tag", "{ {{a}} }", "{\"a\":1}", "{ 1 }"),
    HTML("UTF-8", "{{ā}} ★", "{\"ā\":\"سلام\"}", "سلام ★"),
    HTML("names with signs", "{{a-b}}{{a_b}}{{a:b}}", "{\"a-b\":1,\"a_b\":2,\"a:b\":3}",
         "123"),
    HTML("same twice", "{{a}}{{a}}", "{\"a\":1}", "11"),
    /* dotted names */
    HTML("dotted", "{{p.name}}={{#p}}{{name}}{{/p}}", "{\"p\":{\"name\":\"Jo\"}}",
         "Jo=Jo"),
    HTML("dotted raw", "{{{p.n}}}{{&p.n}}", "{\"p\":{\"n\":\"<\"}}", "<<"),
    HTML("dotted deep", "{{a.b.c.d.e.f}}",
         "{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":\"z\"}}}}}}", "z"),
    HTML("dotted broken", "({{a.b.c}})", "{\"a\":{}}", "()"),
    HTML("dotted broken does not look elsewhere", "({{a.b.c.n}})",
         "{\"a\":{\"b\":{}},\"c\":{\"n\":\"no\"}}", "()"),
    HTML("dotted: first part through the stack", "{{#a}}{{b.c}}{{/a}}",
         "{\"a\":{\"b\":{\"c\":\"in\"}},\"b\":{\"c\":\"out\"}}", "in"),
    HTML("dotted: first hit decides", "({{#a}}{{b.c}}{{/a}})",
         "{\"a\":{\"b\":{}},\"b\":{\"c\":\"out\"}}", "()"),
    HTML("dotted through a scalar", "({{a.b}})", "{\"a\":\"x\"}", "()"),
    HTML("dotted through a list", "({{a.0}})", "{\"a\":[1]}", "()"),
    HTML("dots at the edge find nothing", "({{.a}})({{a.}})({{..}})({{a..b}})",
         "{\"a\":{\"b\":1}}", "()()()()"),
    HTML("key with a dot is not found", "({{a.b}})", "{\"a.b\":1}", "()"),
    /* implicit iterator at the root */
    HTML("root string", "({{.}})", "\"<x>\"", "(&lt;x&gt;)"),
    HTML("root string raw", "({{{.}}})({{&.}})", "\"<x>\"", "(<x>)(<x>)"),
    HTML("root number", "{{.}}", "7", "7"),
    HTML("root list", "{{#.}}{{.}},{{/.}}", "[1,2]", "1,2,"),
    HTML("root list of objects", "{{#.}}{{v}}{{/.}}", "[{\"v\":\"a\"},{\"v\":\"b\"}]",
         "ab"),
    HTML("root object prints nothing", "({{.}})", "{\"a\":1}", "()"),
    /* sections */
    HTML("true shows", "<{{#b}}x{{/b}}>", "{\"b\":true}", "<x>"),
    HTML("false hides", "<{{#b}}x{{/b}}>", "{\"b\":false}", "<>"),
    HTML("null hides", "<{{#b}}x{{/b}}>", "{\"b\":null}", "<>"),
    HTML("missing hides", "<{{#b}}x{{/b}}>", "{}", "<>"),
    HTML("empty list hides", "<{{#b}}x{{/b}}>", "{\"b\":[]}", "<>"),
    HTML("empty string and zero hide", "<{{#s}}x{{/s}}{{#n}}y{{/n}}{{#r}}z{{/r}}>",
         "{\"s\":\"\",\"n\":0,\"r\":0.0}", "<>"),
    HTML("empty object shows", "<{{#o}}x{{/o}}>", "{\"o\":{}}", "<x>"),
    HTML("numbers show", "<{{#n}}{{.}}{{/n}}{{#r}}{{.}}{{/r}}>", "{\"n\":-1,\"r\":0.5}",
         "<-10.5>"),
    HTML("object is pushed", "{{#o}}{{n}}{{/o}}", "{\"o\":{\"n\":\"Jo\"}}", "Jo"),
    HTML("outer names through", "{{#o}}{{a}}{{b}}{{c.d}}{{/o}}",
         "{\"a\":1,\"b\":2,\"c\":{\"d\":4},\"o\":{\"b\":3}}", "134"),
    HTML("inner null shadows", "({{#o}}{{a}}{{/o}})", "{\"a\":1,\"o\":{\"a\":null}}",
         "()"),
    HTML("scalar is on top and by name", "{{#s}}{{.}} {{s}}{{/s}}", "{\"s\":\"bar\"}",
         "bar bar"),
    HTML("string is no list", "{{#s}}x{{/s}}", "{\"s\":\"123\"}", "x"),
    HTML("list", "{{#l}}{{i}}{{/l}}", "{\"l\":[{\"i\":1},{\"i\":2},{\"i\":3}]}", "123"),
    HTML("list within each member", "{{#l}}{{#m}}{{.}}{{/m}};{{/l}}",
         "{\"l\":[{\"m\":[1,2]},{\"m\":[3,4,5]},{\"m\":[6,7]}]}", "12;345;67;"),
    HTML("list of strings", "{{#l}}({{.}}){{/l}}", "{\"l\":[\"a\",\"b\"]}", "(a)(b)"),
    HTML("list of strings escaped", "{{#l}}{{.}}{{/l}}", "{\"l\":[\"<\",\"&\"]}",
         "&lt;&amp;"),
    HTML("list of strings raw", "{{#l}}{{{.}}}{{&.}}{{/l}}", "{\"l\":[\"<\"]}", "<<"),
    HTML("list of decimals", "{{#l}}({{.}}){{/l}}", "{\"l\":[1.10,2.20]}", "(1.1)(2.2)"),
    HTML("list of lists", "{{#l}}({{#.}}{{.}}{{/.}}){{/l}}", "{\"l\":[[1,2],[\"a\"]]}",
         "(12)(a)"),
    HTML("list with false members", "{{#l}}[{{.}}]{{/l}}", "{\"l\":[false,null,0,\"\"]}",
         "[false][][0][]"),
    HTML("list of empty lists", "{{#l}}x{{/l}}", "{\"l\":[[],[]]}", "xx"),
    HTML("list members see outside", "{{#l}}{{p}}{{.}}{{/l}}",
         "{\"p\":\"-\",\"l\":[1,2]}", "-1-2"),
    HTML("lists within",
         "{{#t}}{{#m}}{{n.l}}{{k}}.{{#b}}{{n.u}}{{k}}{{x}}.{{/b}}{{/m}}{{/t}}",
         "{\"t\":[{\"n\":{\"u\":\"A\",\"l\":\"a\"},\"m\":[{\"k\":1,\"b\":[{\"x\":\"x\"},{"
         "\"x\":"
         "\"y\"}]}]}]}",
         "a1.A1x.A1y."),
    HTML("deep",
         "{{#a}}{{x}}{{#b}}{{x}}{{y}}{{#c}}{{x}}{{y}}{{z}}{{/c}}{{y}}{{/b}}{{x}}{{/a}}",
         "{\"a\":{\"x\":1},\"b\":{\"y\":2},\"c\":{\"z\":3}}", "11212321"),
    HTML("two in one template", "{{#a}}\n* 1\n{{/a}}\n* {{b}}\n{{#a}}\n* 3\n{{/a}}\n",
         "{\"a\":true,\"b\":2}", "* 1\n* 2\n* 3\n"),
    HTML("same within itself", "{{#a}}B{{#a}}C{{/a}}D{{/a}}", "{\"a\":true}", "BCD"),
    HTML("hidden within hidden", "A{{#a}}B{{#a}}C{{/a}}D{{/a}}E", "{\"a\":false}", "AE"),
    WITH("hidden text is skipped whole", "{{#a}}{{#b}}{{>p}}{{/b}}{{/a}}.", "{\"b\":1}",
         ".", "{\"p\":\"no\"}"),
    HTML("dotted section", "{{#a.b.c}}x{{/a.b.c}}", "{\"a\":{\"b\":{\"c\":true}}}", "x"),
    HTML("dotted section false", "({{#a.b.c}}x{{/a.b.c}})",
         "{\"a\":{\"b\":{\"c\":false}}}", "()"),
    HTML("dotted section broken", "({{#a.b.c}}x{{/a.b.c}})", "{\"a\":{}}", "()"),
    HTML("section keeps space around", " | {{#b}}\t|\t{{/b}} | \n", "{\"b\":true}",
         " | \t|\t | \n"),
    HTML("section keeps space within", " | {{#b}} {{! c }}\n {{/b}} | \n", "{\"b\":true}",
         " |  \n  | \n"),
    HTML("sections in a line", " {{#b}}Y{{/b}}\n {{#b}}G{{/b}}\n", "{\"b\":true}",
         " Y\n G\n"),
    HTML("section lines go", "| a\n{{#b}}\n|\n{{/b}}\n| c\n", "{\"b\":true}",
         "| a\n|\n| c\n"),
    HTML("indented section lines go", "| a\n  {{#b}}\n|\n\t{{/b}} \n| c\n",
         "{\"b\":true}", "| a\n|\n| c\n"),
    HTML("section lines with CRLF", "|\r\n{{#b}}\r\n{{/b}}\r\n|", "{\"b\":true}",
         "|\r\n|"),
    HTML("section line is first", "  {{#b}}\n#{{/b}}\n/", "{\"b\":true}", "#\n/"),
    HTML("section line is last", "#{{#b}}\n/\n  {{/b}}", "{\"b\":true}", "#\n/\n"),
    HTML("two tags in a line stay", "{{#b}}{{/b}}\nx", "{\"b\":true}", "\nx"),
    HTML("two tags and space stay", "{{#b}} {{/b}} \nx", "{\"b\":true}", "  \nx"),
    HTML("lone CR is no line end", "a\n{{#b}}\rx{{/b}}", "{\"b\":true}", "a\n\rx"),
    HTML("section padding", "|{{# b }}={{/ b }}|", "{\"b\":true}", "|=|"),
    /* inverted sections */
    HTML("inverted false", "<{{^b}}x{{/b}}>", "{\"b\":false}", "<x>"),
    HTML("inverted true", "<{{^b}}x{{/b}}>", "{\"b\":true}", "<>"),
    HTML("inverted null", "<{{^b}}x{{/b}}>", "{\"b\":null}", "<x>"),
    HTML("inverted missing", "<{{^b}}x{{/b}}>", "{}", "<x>"),
    HTML("inverted object", "<{{^b}}x{{/b}}>", "{\"b\":{\"n\":1}}", "<>"),
    HTML("inverted list", "<{{^b}}x{{/b}}>", "{\"b\":[{\"n\":1}]}", "<>"),
    HTML("inverted empty list", "<{{^b}}x{{/b}}>", "{\"b\":[]}", "<x>"),
    HTML("inverted empty string", "<{{^b}}x{{/b}}>", "{\"b\":\"\"}", "<x>"),
    HTML("inverted pushes nothing", "{{^b}}{{a}}{{.}}{{/b}}", "{\"a\":1}", "1"),
    HTML("inverted twice", "{{^a}}\n* 1\n{{/a}}\n* {{b}}\n{{^a}}\n* 3\n{{/a}}\n",
         "{\"b\":2}", "* 1\n* 2\n* 3\n"),
    HTML("inverted within inverted", "A{{^a}}B{{^a}}C{{/a}}D{{/a}}E", "{}", "ABCDE"),
    HTML("inverted within inverted, true", "A{{^a}}B{{^a}}C{{/a}}D{{/a}}E", "{\"a\":1}",
         "AE"),
    HTML("inverted within its section", "{{#a}}{{^a}}x{{/a}}y{{/a}}", "{\"a\":1}", "y"),
    HTML("if and else", "{{#a}}yes{{/a}}{{^a}}no{{/a}}", "{\"a\":0}", "no"),
    HTML("dotted inverted true", "({{^a.b}}x{{/a.b}})", "{\"a\":{\"b\":true}}", "()"),
    HTML("dotted inverted false", "({{^a.b}}x{{/a.b}})", "{\"a\":{\"b\":false}}", "(x)"),
    HTML("dotted inverted broken", "({{^a.b.c}}x{{/a.b.c}})", "{\"a\":{}}", "(x)"),
    HTML("inverted keeps space around", " | {{^b}}\t|\t{{/b}} | \n", "{}",
         " | \t|\t | \n"),
    HTML("inverted keeps space within", " | {{^b}} {{! c }}\n {{/b}} | \n", "{}",
         " |  \n  | \n"),
    HTML("inverted in a line", " {{^b}}N{{/b}}\n {{^b}}W{{/b}}\n", "{}", " N\n W\n"),
    HTML("inverted lines go", "| a\n{{^b}}\n|\n{{/b}}\n| c\n", "{}", "| a\n|\n| c\n"),
    HTML("indented inverted lines go", "| a\n  {{^b}}\n|\n  {{/b}}\n| c\n", "{}",
         "| a\n|\n| c\n"),
    HTML("inverted lines with CRLF", "|\r\n{{^b}}\r\n{{/b}}\r\n|", "{}", "|\r\n|"),
    HTML("inverted line is first", "  {{^b}}\n^{{/b}}\n/", "{}", "^\n/"),
    HTML("inverted line is last", "^{{^b}}\n/\n  {{/b}}", "{}", "^\n/\n"),
    HTML("inverted padding", "|{{^ b }}={{/ b }}|", "{}", "|=|"),
    /* comments */
    HTML("comment", "12{{! gone }}34", "{}", "1234"),
    HTML("comment over lines", "12{{!\n gone\n gone\n}}34\n", "{}", "1234\n"),
    HTML("comment line goes", "A\n{{! c }}\nB\n", "{}", "A\nB\n"),
    HTML("indented comment line goes", "A\n  {{! c }}  \nB\n", "{}", "A\nB\n"),
    HTML("comment line with CRLF", "|\r\n{{! c }}\r\n|", "{}", "|\r\n|"),
    HTML("comment line is first", "  {{! c }}\n!", "{}", "!"),
    HTML("comment line is last", "!\n  {{! c }}", "{}", "!\n"),
    HTML("comment lines go", "A\n{{!\nc\n}}\nB\n", "{}", "A\nB\n"),
    HTML("indented comment lines go", "A\n  {{!\n  c\n  }}\nB\n", "{}", "A\nB\n"),
    HTML("comment in a line", "  12 {{! 34 }}\n", "{}", "  12 \n"),
    HTML("comment keeps space around", "12 {{! c }} 34", "{}", "12  34"),
    HTML("comment is no variable", "({{! a }})({{!a}})({{!#a}})", "{\"a\":1,\"!a\":2}",
         "()()()"),
    HTML("empty comment", "a{{!}}b", "{}", "ab"),
    HTML("comment holds opening braces", "a{{! {{ b }}c", "{}", "ac"),
    /* delimiters */
    HTML("set delimiters", "{{=<% %>=}}(<%t%>)", "{\"t\":\"x\"}", "(x)"),
    HTML("single character delimiters", "({{=[ ]=}}[t])", "{\"t\":\"x\"}", "(x)"),
    HTML("back again", "{{=| |=}}|t||={{ }}=|{{t}}|t|", "{\"t\":\"x\"}", "xx|t|"),
    HTML("equal delimiters", "{{=@ @=}}@t@", "{\"t\":\"x\"}", "x"),
    HTML("raw under other delimiters", "{{=<% %>=}}<%&t%><%{t}%>", "{\"t\":\"<\"}", "<<"),
    HTML("delimiters hold in sections",
         "[\n{{#s}}\n  {{d}}\n  |d|\n{{/s}}\n\n{{= | | =}}\n|#s|\n  {{d}}\n  "
         "|d|\n|/s|\n]\n",
         "{\"s\":true,\"d\":\"x\"}", "[\n  x\n  |d|\n\n  {{d}}\n  x\n]\n"),
    HTML("delimiters hold in inverted sections", "{{= | | =}}\n|^s|\n  {{d}}|d|\n|/s|\n",
         "{\"d\":\"x\"}", "  {{d}}x\n"),
    HTML("set within a section", "{{#s}}{{=| |=}}|d||/s||d|", "{\"s\":true,\"d\":1}",
         "11"),
    WITH("partials start with their own", "[{{>p}}]\n{{= | | =}}\n[|>p|]\n",
         "{\"v\":\"y\"}", "[.y.]\n[.y.]\n", "{\"p\":\".{{v}}.\"}"),
    WITH("partials keep theirs", "[{{>p}}]\n[{{v}} |v|]\n", "{\"v\":\"y\"}",
         "[.y.  .y.]\n[y |v|]\n", "{\"p\":\".{{v}}. {{= | | =}} .|v|.\"}"),
    HTML("delimiters keep space around", "| {{=@ @=}} |", "{}", "|  |"),
    HTML("delimiters in a line", " | {{=@ @=}}\n", "{}", " | \n"),
    HTML("delimiter line goes", "A\n{{=@ @=}}\nB\n", "{}", "A\nB\n"),
    HTML("indented delimiter line goes", "A\n  {{=@ @=}}\nB\n", "{}", "A\nB\n"),
    HTML("delimiter line with CRLF", "|\r\n{{= @ @ =}}\r\n|", "{}", "|\r\n|"),
    HTML("delimiter line is first", "  {{=@ @=}}\n=", "{}", "="),
    HTML("delimiter line is last", "=\n  {{=@ @=}}", "{}", "=\n"),
    HTML("delimiter padding", "|{{= @   @ =}}|", "{}", "||"),
    /* partials */
    WITH("partial", "({{>p}})", "{}", "(in)", "{\"p\":\"in\"}"),
    WITH("partial missing", "({{>p}})", "{}", "()", "{}"),
    HTML("no resolver", "({{>p}})", "{}", "()"),
    WITH("partial sees the context", "({{>p}})", "{\"t\":\"x\"}", "(*x*)",
         "{\"p\":\"*{{t}}*\"}"),
    WITH("partial sees the section", "{{#l}}{{>p}}{{/l}}", "{\"l\":[1,2]}", "<1><2>",
         "{\"p\":\"<{{.}}>\"}"),
    WITH("partial is not a variable", "({{>p}})", "{\"p\":\"no\"}", "()", "{}"),
    WITH("partial escapes", "{{>p}}", "{\"a\":\"<\"}", "&lt;<",
         "{\"p\":\"{{a}}{{{a}}}\"}"),
    WITH("recursion", "{{>n}}", "{\"c\":\"X\",\"k\":[{\"c\":\"Y\",\"k\":[]}]}", "X<Y<>>",
         "{\"n\":\"{{c}}<{{#k}}{{>n}}{{/k}}>\"}"),
    WITH("partial in a partial", "{{>a}}", "{}", "(b)",
         "{\"a\":\"({{>b}})\",\"b\":\"b\"}"),
    WITH("partial name with path", "{{>mail/foot}}", "{}", "f", "{\"mail/foot\":\"f\"}"),
    WITH("partial keeps space around", "| {{>p}} |", "{}", "| \t|\t |",
         "{\"p\":\"\\t|\\t\"}"),
    WITH("inline partial is not indented", "  {{d}}  {{> p}}\n", "{\"d\":\"|\"}",
         "  |  >\n>\n", "{\"p\":\">\\n>\"}"),
    WITH("partial line with CRLF", "|\r\n{{>p}}\r\n|", "{}", "|\r\n>|", "{\"p\":\">\"}"),
    WITH("partial line is first", "  {{>p}}\n>", "{}", "  >\n  >>", "{\"p\":\">\\n>\"}"),
    WITH("partial line is last", ">\n  {{>p}}", "{}", ">\n  >\n  >", "{\"p\":\">\\n>\"}"),
    WITH("lines of the partial are indented, not of values", "\\\n {{>p}}\n/\n",
         "{\"c\":\"<\\n->\"}", "\\\n |\n <\n->a b<\n->c\n |\n/\n",
         "{\"p\":\"|\\n{{{c}}}a b{{{c}}}c\\n|\\n\"}"),
    WITH("indentation adds up", " {{>a}}\n.", "{}", " a\n   b\n   b\n a\n.",
         "{\"a\":\"a\\n  {{>b}}\\na\\n\",\"b\":\"b\\nb\\n\"}"),
    WITH("indentation ends with its partial", " {{>a}}\n{{>b}}\n", "{}", " a\nb\nb\n",
         "{\"a\":\"a\\n\",\"b\":\"b\\nb\\n\"}"),
    WITH("inline partial in an indented one", " {{>a}}\n", "{}", " (b\nb)\n c\n",
         "{\"a\":\"({{>b}})\\nc\\n\",\"b\":\"b\\nb\"}"),
    WITH("indented partial with sections", " {{>a}}\n", "{\"l\":[1,2]}",
         " x\n 1\n 2\n y\n", "{\"a\":\"x\\n{{#l}}\\n{{.}}\\n{{/l}}\\ny\\n\"}"),
    WITH("indented partial without last line end", " {{>a}}\n.", "{}", " x.",
         "{\"a\":\"x\"}"),
    WITH("indented empty partial", " {{>a}}\n.", "{}", ".", "{\"a\":\"\"}"),
    WITH("tab indentation", "\t{{>a}}\n", "{}", "\tx\n", "{\"a\":\"x\\n\"}"),
    WITH("two partials in a line", " {{>a}} {{>a}}\n", "{}", " x x\n", "{\"a\":\"x\"}"),
    WITH("partial padding", "|{{> p }}|", "{}", "|[]|", "{\"p\":\"[]\"}"),
    /* values that look like code */
    WITH("shell, printf and template marks are text", "{{a}}",
         "{\"a\":\"{{x}} %s%n ${x} [x] {{#x}} {{>p}} {{=| |=}}\",\"x\":1}",
         "{{x}} %s%n ${x} [x] {{#x}} {{&gt;p}} {{=| |=}}", "{\"p\":\"no\"}"),
    HTML("escaped value in a quoted attribute", "<a title=\"{{a}}\">",
         "{\"a\":\"\\\" onclick=\\\"x\"}", "<a title=\"&quot; onclick=&quot;x\">"),
    HTML("escaped value in a single-quoted attribute", "<a title='{{a}}'>",
         "{\"a\":\"' b='\"}", "<a title='&#39; b=&#39;'>"),
};

static const struct bad bads[] = {
    {"tag not closed", "a\nb {{x", "line 2: the tag is never closed"},
    {"triple closed by two", "{{{x}} ", "line 1: the tag is never closed"},
    {"delimiters not closed", "{{=<% %>}}", "never closed"},
    {"comment not closed", "{{! x }", "never closed"},
    {"section not closed", "a\n\n{{#s}}x", "line 3: {{#s}} is never closed"},
    {"inverted not closed", "{{^s}}x", "{{^s}} is never closed"},
    {"inner not closed", "{{#a}}\n{{#b}}\n{{/a}}",
     "line 3: {{/a}} where {{/b}} is due (opened on line 2)"},
    {"closed twice", "{{#a}}{{/a}}{{/a}}", "closes what was never opened"},
    {"closed unopened", "{{/a}}", "closes what was never opened"},
    {"crossed", "{{#a}}{{#b}}{{/a}}{{/b}}", "where {{/b}} is due"},
    {"closed by a prefix", "{{#ab}}{{/a}}", "where {{/ab}} is due"},
    {"no name", "{{}}", "names nothing"},
    {"only space", "{{  }}", "names nothing"},
    {"section without name", "{{#}}{{/}}", "names nothing"},
    {"partial without name", "{{> }}", "names nothing"},
    {"two words", "{{a b}}", "white space within"},
    {"line break within", "{{a\nb}}", "white space within"},
    {"one delimiter", "{{=|=}}", "needs two delimiters"},
    {"no delimiter", "{{= =}}", "needs two delimiters"},
    {"three delimiters", "{{=a b c=}}", "needs two delimiters"},
    {"equals in a delimiter", "{{=a= b=}}", "needs two delimiters"},
    {"delimiter too long", "{{=0123456789abcdefg b=}}", "needs two delimiters"},
    {"line is counted over comments", "{{!\n\n}}\n{{#a}}", "line 4: {{#a}}"},
};

struct partials {
    json_t *source;
    const char *names[8];
    struct template *compiled[8];
    size_t count;
};

static const struct template *find_partial(void *self, const char *name) {
    struct partials *p = self;
    const char *text = json_string_value(json_object_get(p->source, name));
    struct error error = {0};
    if (!text)
        return NULL;
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->names[i], name) == 0)
            return p->compiled[i];
    assert_true(p->count < 8);
    p->names[p->count] =
        name[0] ? json_object_iter_key(json_object_iter_at(p->source, name)) : "";
    assert_int_equal(template_compile(text, strlen(text), &p->compiled[p->count], &error),
                     0);
    return p->compiled[p->count++];
}

static int render(const char *text, size_t n, json_t *data, json_t *partials,
                  enum template_escape escape, struct buffer *out, struct error *error) {
    struct partials p = {.source = partials};
    struct template *t = NULL;
    int rc = template_compile(text, n, &t, error);
    if (!rc)
        rc = template_render(t, data, escape, partials ? find_partial : NULL, &p, out,
                             error);
    template_free(t);
    for (size_t i = 0; i < p.count; i++)
        template_free(p.compiled[i]);
    return rc;
}

static json_t *parse(const char *text) {
    json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    assert_true(!text || value);
    return value;
}

static void renders(void **state) {
    const struct good *g = *state;
    json_t *data = parse(g->data);
    json_t *partials = parse(g->partials);
    struct error error = {0};
    struct buffer out;

    buffer_init(&out, 4096);
    if (render(g->template, strlen(g->template), data, partials, g->escape, &out, &error))
        fail_msg("%s", error.detail);
    assert_string_equal(out.data, g->expected);
    buffer_free(&out);
    json_decref(data);
    json_decref(partials);
}

static void refuses(void **state) {
    const struct bad *b = *state;
    struct error error = {0};
    struct template *t = NULL;
    assert_int_equal(template_compile(b->template, strlen(b->template), &t, &error),
                     ERROR_INVALID);
    assert_null(t);
    if (!strstr(error.detail, b->says))
        fail_msg("\"%s\" does not say \"%s\"", error.detail, b->says);
}

static char *repeat(const char *unit, size_t times, size_t *n) {
    size_t length = strlen(unit);
    char *text = malloc(length * times + 1);
    assert_non_null(text);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * length, unit, length);
    text[length * times] = '\0';
    *n = length * times;
    return text;
}

/* Renders unit × times + tail; returns the code. */
static int render_many(const char *unit, size_t times, const char *tail, const char *json,
                       const char *partials, size_t limit, struct error *error) {
    size_t n, m;
    char *head = repeat(unit, times, &n);
    char *rest = repeat(tail, times, &m);
    json_t *data = parse(json);
    json_t *known = parse(partials);
    struct buffer out;
    int rc;

    head = realloc(head, n + m + 1);
    assert_non_null(head);
    memcpy(head + n, rest, m + 1);
    buffer_init(&out, limit);
    rc = render(head, n + m, data, known, TEMPLATE_HTML, &out, error);
    buffer_free(&out);
    json_decref(data);
    json_decref(known);
    free(rest);
    free(head);
    return rc;
}

static void bounds_nesting(void **state) {
    struct error error = {0};
    (void)state;
    assert_int_equal(render_many("{{#a}}", 32, "{{/a}}", "{\"a\":1}", NULL, 9, &error),
                     0);
    assert_int_equal(render_many("{{#a}}", 33, "{{/a}}", "{}", NULL, 9, &error),
                     ERROR_INVALID);
    assert_non_null(strstr(error.detail, "nests too deep"));
}

static void bounds_text(void **state) {
    struct error error = {0};
    (void)state;
    assert_int_equal(
        render_many("x", TEMPLATE_BYTES_MAX, "", "{}", NULL, 1 << 20, &error), 0);
    assert_int_equal(
        render_many("x", TEMPLATE_BYTES_MAX + 1, "", "{}", NULL, 1 << 20, &error),
        ERROR_INVALID);
}

static void bounds_output(void **state) {
    struct error error = {0};
    (void)state;
    assert_int_equal(render_many("abc", 4, "", "{}", NULL, 12, &error), 0);
    assert_int_equal(render_many("abc", 4, "", "{}", NULL, 11, &error), ERROR_INVALID);
    assert_non_null(strstr(error.detail, "exceeds 11 bytes"));
}

static void bounds_partials(void **state) {
    struct error error = {0};
    (void)state;
    assert_int_equal(
        render_many("{{>p}}", 1, "", "{}", "{\"p\":\"x{{>p}}\"}", 4096, &error),
        ERROR_INVALID);
    assert_non_null(strstr(error.detail, "{{>p}} nests too deep"));
    error = (struct error){0};
    assert_int_equal(
        render_many("{{>p}}", 1, "", "{}", "{\"p\":\"a\\n{{>p}}\\n\"}", 4096, &error),
        ERROR_INVALID);
}

static void bounds_indentation(void **state) {
    struct error error = {0};
    size_t n;
    char *spaces = repeat(" ", 300, &n);
    char text[400];
    (void)state;
    snprintf(text, sizeof text, "%s{{>p}}", spaces);
    assert_int_equal(render_many(text, 1, "", "{}", "{\"p\":\"x\"}", 4096, &error),
                     ERROR_INVALID);
    assert_non_null(strstr(error.detail, "indented too far"));
    free(spaces);
}

/* 10^32 visits are asked for; the budget ends them. */
static void bounds_work(void **state) {
    struct error error = {0};
    (void)state;
    assert_int_equal(render_many("{{#a}}", 32, "{{/a}}", "{\"a\":[1,1,1,1,1,1,1,1,1,1]}",
                                 NULL, 9, &error),
                     ERROR_INVALID);
    assert_non_null(strstr(error.detail, "repeats too much"));
}

/* Quadratic parsers take minutes here. */
static void stays_linear(void **state) {
    static const char *const units[] = {"{{",     "{{a}}",   "{{{a}}}", "{{!",  " \n",
                                        "{{#a}}", "\n{{!}}", "{",       "{{= ", "}}"};
    (void)state;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        struct error error = {0};
        size_t times = TEMPLATE_BYTES_MAX / strlen(units[i]);
        render_many(units[i], times, "", "{}", NULL, 1 << 20, &error);
    }
}

/* Any bytes whatever end in a result or an error. */
static void survives_noise(void **state) {
    static const char pieces[][9] = {"{{", "}}",        "{{{", "}}}", "#",    "^", "/",
                                     "a",  ".",         " ",   "\n",  "\r\n", ">", "!",
                                     "=",  "{{=| |=}}", "|",   "&",   "\xc3", "b"};
    uint64_t seed = 88172645463325252u;
    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[256];
        size_t n = 0;
        struct error error = {0};
        struct buffer out;
        json_t *data = parse("{\"a\":[{\"b\":\"<\"},2,[3]],\"b\":true}");
        json_t *partials = parse("{\"a\":\"x\\n{{b}}\\n\",\"b\":\" {{>a}}\\n\"}");
        for (int i = 0; i < 24; i++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            size_t pick = seed % (sizeof pieces / sizeof *pieces);
            size_t length = strnlen(pieces[pick], sizeof pieces[pick]);
            memcpy(text + n, pieces[pick], length);
            n += length;
        }
        buffer_init(&out, 65536);
        render(text, n, data, partials, TEMPLATE_HTML, &out, &error);
        buffer_free(&out);
        json_decref(data);
        json_decref(partials);
    }
}

/* Among all bytes exactly the five are escaped. */
static void escapes_every_byte(void **state) {
    (void)state;
    for (int byte = 1; byte < 128; byte++) {
        char value[2] = {(char)byte, '\0'};
        json_t *data = json_pack("{s:s}", "x", value);
        struct error error = {0};
        struct buffer out;
        buffer_init(&out, 16);
        assert_int_equal(render("{{x}}", 5, data, NULL, TEMPLATE_HTML, &out, &error), 0);
        if (strchr("&<>\"'", byte))
            assert_true(out.length > 3 && out.data[0] == '&' &&
                        out.data[out.length - 1] == ';');
        else
            assert_string_equal(out.data, value);
        buffer_free(&out);
        json_decref(data);
    }
}

static void lists_names(void **state) {
    static const char text[] =
        "{{a.b}}\n{{#c}}{{d}}{{^e}}{{{f}}}{{/e}}{{/c}}\n{{a.b}}{{>p}}{{!x}}";
    struct error error = {0};
    struct template *t = NULL;
    json_t *names = json_object();
    json_t *expected = parse("{\"a.b\":1,\"c\":2,\"d\":2,\"e\":2,\"f\":2}");
    (void)state;
    assert_int_equal(template_compile(text, sizeof text - 1, &t, &error), 0);
    assert_int_equal(template_names(t, names), 0);
    assert_true(json_equal(names, expected));
    template_free(t);
    json_decref(names);
    json_decref(expected);
}

static void accepts_nothing_to_free(void **state) {
    (void)state;
    template_free(NULL);
}

static const struct CMUnitTest others[] = {
    cmocka_unit_test(bounds_nesting),
    cmocka_unit_test(bounds_text),
    cmocka_unit_test(bounds_output),
    cmocka_unit_test(bounds_partials),
    cmocka_unit_test(bounds_indentation),
    cmocka_unit_test(bounds_work),
    cmocka_unit_test(stays_linear),
    cmocka_unit_test(survives_noise),
    cmocka_unit_test(escapes_every_byte),
    cmocka_unit_test(lists_names),
    cmocka_unit_test(accepts_nothing_to_free),
};

enum {
    GOODS = sizeof goods / sizeof *goods,
    BADS = sizeof bads / sizeof *bads,
    OTHERS = sizeof others / sizeof *others
};

/* For tests/flow/test_template_html.py: from {"template","data"} to "rendered", line by line. */
static int serve(void) {
    static char line[65536];
    while (fgets(line, sizeof line, stdin)) {
        json_t *asked = parse(line);
        const char *text = json_string_value(json_object_get(asked, "template"));
        struct error error = {0};
        struct buffer out;
        json_t *answer;
        buffer_init(&out, 1 << 20);
        if (render(text, strlen(text), json_object_get(asked, "data"), NULL,
                   TEMPLATE_HTML, &out, &error))
            return 1;
        answer = json_stringn(out.data, out.length);
        json_dumpf(answer, stdout, JSON_ENCODE_ANY);
        fputc('\n', stdout);
        json_decref(answer);
        json_decref(asked);
        buffer_free(&out);
    }
    return 0;
}

int main(int argc, char **argv) {
    static struct good good_states[GOODS];
    static struct bad bad_states[BADS];
    static struct CMUnitTest tests[GOODS + BADS + OTHERS];
    size_t n = 0;

    if (argc > 1 && strcmp(argv[1], "serve") == 0)
        return serve();
    memcpy(good_states, goods, sizeof goods);
    memcpy(bad_states, bads, sizeof bads);
    for (size_t i = 0; i < GOODS; i++)
        tests[n++] = (struct CMUnitTest){good_states[i].name, renders, NULL, NULL,
                                         &good_states[i]};
    for (size_t i = 0; i < BADS; i++)
        tests[n++] =
            (struct CMUnitTest){bad_states[i].name, refuses, NULL, NULL, &bad_states[i]};
    memcpy(tests + n, others, sizeof others);
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}
