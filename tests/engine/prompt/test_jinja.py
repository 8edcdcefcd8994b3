"""The template interpreter gives the same output as Jinja2 and stays within its budget."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from jinja2.sandbox import SandboxedEnvironment

from engine.prompt.jinja.budget import Budget
from engine.prompt.jinja.program import Program
from engine.prompt.jinja.values import Failure
from tests.engine.prompt.template_fuzz import NAMES, fuzz

ROOT = Path(__file__).parents[3]


def render(source: str, names: dict[str, object] | None = None) -> str:
    return Program(source).render(NAMES if names is None else names, Budget(2_000_000, 64 << 20))


def jinja2(source: str) -> str:
    environment = SandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", "jinja2.ext.do"]
    )
    environment.filters["tojson"] = lambda value, **named: json.dumps(value, ensure_ascii=False, **named)
    return environment.from_string(source).render(json.loads(json.dumps(NAMES)))


@pytest.mark.parametrize(
    "source",
    [
        # These templates call methods of strings.
        "{{ text.rsplit('_', 1)[0] }}{{ text.partition('_')[2] }}{{ text.rpartition('_') }}"
        "{{ text.removeprefix('a_') }}",
        "{{ text.removesuffix(' c') }}{{ text.index('_') }}{{ text.rindex('b') }}{{ text.find('zz') }}"
        "{{ text.rfind('b') }}",
        "{{ text.split() }}{{ text.split('_') }}{{ text.split('_', maxsplit=1) }}{{ 'a\nb'.splitlines() }}",
        "{{ text.upper() }}{{ text.title() }}{{ text.capitalize() }}{{ text.swapcase() }}{{ text.casefold() }}",
        "{{ ' x '.strip() }}|{{ 'xyx'.strip('x') }}|{{ ' x'.lstrip() }}|{{ 'x '.rstrip() }}|{{ "
        "text.replace('_', '--', 1) }}",
        "{{ text.startswith('a') }}{{ text.startswith(('x', 'a')) }}{{ text.endswith('c') }}{{ text.count('b') }}",
        "{{ 'ab'.center(6) }}|{{ 'ab'.ljust(4) }}|{{ 'ab'.rjust(4, '.') }}|{{ '7'.zfill(3) }}|{{ "
        "'a\tb'.expandtabs(4) }}",
        "{{ 'a'.isalpha() }}{{ '1'.isdigit() }}{{ 'a1'.isalnum() }}{{ ' '.isspace() }}{{ 'a'.islower() }}"
        "{{ '٣'.isnumeric() }}",
        "{{ ','.join(['a', 'b']) }}{{ '-'.join(text) }}{{ '{} and {0}'.format(1) if false }}"
        "{{ '{} {}'.format('a', 2) }}",
        "{{ '{0}{1}{0}'.format('a', 'b') }}{{ '{x:>5}|{y:.2f}'.format(x='a', y=1.5) }}{{ '{{}}'.format() }}",
        # These templates format text with `%`.
        "{{ '%s and %d' % (text, 3) }}{{ '%s' % text }}{{ '%.2f|%5s|%-5s|%%' % (1.5, 'a', 'b') }}"
        "{{ '%(a)s' % {'a': 1} }}",
        "{{ '%s-%s'|format('a', 2) }}{{ '%(x)d'|format(x=3) }}",
        # These templates use lists and dictionaries.
        "{% set l = [] %}{% for m in messages %}{% set _ = l.append(m.role) %}{% endfor %}{{ l|join(',') }}",
        "{% set l = [3, 1] %}{% do l.extend([2]) %}{% do l.insert(0, 9) %}{{ l.pop(0) }}{{ l.pop() }}"
        "{% do l.reverse() %}{{ l }}",
        "{% set l = ['b', 'a'] %}{% do l.sort() %}{{ l.index('b') }}{{ l.count('a') }}{% do l.remove('a') %}"
        "{{ l }}{{ l.copy() }}",
        "{% set d = {} %}{% set _ = d.update({'a': 1}) %}{{ d.a }}{% do d.update(b=2) %}{{ d }}"
        "{{ d.pop('a') }}{{ d.get('x', 5) }}",
        "{% set d = {'x': 1} %}{{ d.setdefault('y', 2) }}{{ d.keys()|list }}{{ d.values()|list }}"
        "{{ d.items()|list }}{{ d.get('q') }}",
        "{% set x = [[1, 2]] %}{{ x.0.1 }}{{ x[0][-1] }}{{ x[5] is defined }}",
        "{% for k, v in {'items': 1, 'keys': 2}.items() %}{{ k }}{{ v }}{% endfor %}",
        "{{ (text.split()|first).rstrip('b') }}{{ messages[::-1]|map(attribute='role')|list }}{{ text[1:3] }}"
        "{{ text[-1] }}",
        # These templates use statements such as `for`, `if` and `set`.
        "{% for a in [1, 2, 3] %}{{ loop.index }}{{ loop.first }}{{ loop.last }}{{ loop.revindex }}"
        "{{ loop.cycle('x', 'y') }}{% endfor %}",
        "{% for a in [1, 2, 3, 4] if a is even %}{{ loop.length }}{{ a }}{{ loop.previtem }}"
        "{{ loop.nextitem }}{% else %}none{% endfor %}",
        "{% for a in [] %}{% else %}empty{% endfor %}{% for a in [1, 2, 3] %}{% if a == 2 %}{% continue %}"
        "{% endif %}{{ a }}{% endfor %}",
        "{% for a in [1, 2, 3] %}{% if a == 2 %}{% break %}{% endif %}{{ a }}{% endfor %}",
        "{% for a in [1, [2, [3]]] recursive %}{% if a is number %}{{ a }}{{ loop.depth }}"
        "{% else %}({{ loop(a) }}){% endif %}{% endfor %}",
        "{% set x = 1 %}{% for a in [1] %}{% set x = 2 %}{{ x }}{% endfor %}{{ x }}",
        "{% set ns = namespace(x=1) %}{% for a in [1, 2] %}{% set ns.x = ns.x + a %}{% endfor %}{{ ns.x }}",
        "{% macro f(a, b='d') %}[{{ a }}{{ b }}{{ varargs }}{{ kwargs }}]{% endmacro %}{{ f(1) }}"
        "{{ f(1, 2, 3) }}{{ f(b=4, a=5, c=6) }}",
        "{% macro f() %}<{{ caller() }}>{% endmacro %}{% call f() %}in{% endcall %}",
        "{% macro f() %}<{{ caller(7) }}>{% endmacro %}{% call(x) f() %}in{{ x }}{% endcall %}",
        "{% set b %}a{{ 1 }}{% endset %}{{ b|upper }}{% set c | upper %}x{% endset %}{{ c }}"
        "{% filter upper %}y{% endfilter %}",
        "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}{% raw %}{{ x }}{% endraw %}{# note #}",
        "a\n  {% if true %}\nb\n  {%- endif %}\nc\n",
        # These templates use operators and other expressions.
        "{{ 7 // 2 }}{{ 7 % 3 }}{{ 2 ** 5 }}{{ 1 / 2 }}{{ -3 }}{{ 'a' ~ 1 ~ none ~ 2.0 }}{{ [1] + [2] }}"
        "{{ 'ab' * 2 }}{{ 1 < 2 < 3 }}",
        "{{ 1 if false }}{{ 'a' in text }}{{ 'x' not in ['y'] }}{{ not true }}{{ none == none }}{{ none }}"
        "{{ true }}{{ [none, 'a'] }}",
        "{{ nothing }}{{ nothing is defined }}{{ nothing|default('d') }}{{ ''|default('d', true) }}"
        "{{ nothing|length }}{{ messages[9] }}",
        # These templates use filters.
        "{{ [3, 1, 2]|sort }}{{ ['b', 'A']|sort }}"
        "{{ messages|sort(attribute='role')|map(attribute='role')|join }}{{ {'b': 1, 'a': 2}|dictsort }}",
        "{{ [1, 2, 3]|sum }}{{ [1, 5]|max }}{{ [1, 5]|min }}{{ [1, 1, 2]|unique|list }}{{ 'abc'|reverse }}"
        "{{ [1, 2]|reverse|list }}{{ [1, 2]|last }}",
        "{{ messages|selectattr('role', 'equalto', 'user')|list|length }}"
        "{{ messages|rejectattr('name')|list|length }}{{ [1, 2]|select('odd')|list }}",
        "{{ messages|map(attribute='content')|map('upper')|join('/') }}{{ messages|groupby('role')|length }}"
        "{{ 'a b'|wordcount }}",
        "{{ [1, 2, 3, 4, 5]|batch(2)|list }}{{ [1, 2, 3, 4, 5]|batch(2, 'x')|list }}"
        "{{ [1, 2, 3, 4, 5]|slice(2)|list }}",
        "{{ 'a\nb'|indent(2) }}{{ 'a\n\nb'|indent(2, true) }}{{ ' x '|trim }}{{ 'hello world'|truncate(8) }}"
        "{{ 'ab'|center(6) }}",
        "{{ '3'|int + 1 }}{{ 'x'|int }}{{ '1.5'|float }}{{ 2.567|round(2) }}{{ 2.5|round|int }}{{ -3|abs }}"
        "{{ 'a b'|title }}{{ 'x'|string }}",
        "{{ {'a': [1, none, 'é']}|tojson }}{{ {'a': 1}|tojson(indent=2) }}"
        "{{ {'a': [1, 2]}|tojson(separators=(',', ':')) }}{{ {'a': 1}|items|list }}",
        "{{ dict([(1, 2)], a=3) }}{{ dict({2: 'b'}) }}{{ '%s' % nothing }}"
        "{{ '%(a b)s, %(c)5.1f' % {'a b': 1, 'c': 2} }}"
        "{{ '100%% of %s' % 1 }}{{ ' a-'.strip('- ') }}{{ 'aXbXc'.rsplit('X', 1) }}{{ 'abcabc'.rfind('bc') }}",
        "{{ 'a b&c'|urlencode }}{{ 1 is number }}{{ 'a' is string }}{{ {} is mapping }}{{ [] is iterable }}"
        "{{ 4 is divisibleby 2 }}{{ none is none }}",
    ],
)
def test_template_renders_as_in_jinja2(source: str) -> None:
    assert render(source) == jinja2(source)


NESTED_TUPLES = "{% set ns = namespace(t=(1,)) %}{% for i in range(60) %}{% set ns.t = (ns.t, ns.t) %}{% endfor %}"
NESTED_LISTS = "{% set ns = namespace(t=[1]) %}{% for i in range(60) %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}"
OFTEN = "{% for i in range(100000) %}{% for j in range(100) %}"

HOSTILE_ARGUMENTS = {
    "hash of a key of dict()": NESTED_TUPLES + "{{ dict([(ns.t, 1)]) }}",
    "hash of a key of namespace()": NESTED_TUPLES + "{{ namespace([(ns.t, 1)]) }}",
    "hash of a key of format_map()": NESTED_TUPLES + "{{ ''.format_map([(ns.t, 1)]) }}",
    "hash of what a namespace may contain": NESTED_TUPLES + "{{ ns.t in ns }}",
    "text of a time format": NESTED_LISTS + "{{ strftime_now(ns.t) }}",
    "text of a joiner": NESTED_LISTS + "{{ joiner(ns.t)() }}",
    "text of an attribute": NESTED_LISTS + "{{ [1]|map(attribute=ns.t)|list }}",
    "text of an attribute of a filter": NESTED_LISTS + "{{ 1|attr(ns.t) }}",
    "text of a filter's name": NESTED_LISTS + "{{ [1]|map(ns.t)|list }}",
    "text of a test's name": NESTED_LISTS + "{{ [1]|select(ns.t)|list }}",
    "text of separators": NESTED_LISTS + "{{ 1|tojson(separators=(ns.t, ns.t)) }}",
}

HOSTILE_WORK = {
    "round of a string": "{{ 'a'|round(8, 'floor') }}",
    "percent with a key of any text": "{{ '%(a b)1000000000d' % {'a b': 1} }}",
    "percent with a key in parentheses": "{{ '%((a))1000000000d' % {'(a)': 1} }}",
    "strip of many characters": "{% set s = 'a' * 1000000 %}{{ s.strip('b' * 1000000 ~ 'a') }}",
    "search from the right": "{% set s = 'a' * 2000000 %}{{ s.rfind('ab' ~ 'a' * 1000000) }}",
    "split from the right": "{% set s = 'a' * 2000000 %}{{ s.rsplit('ab' ~ 'a' * 1000000) }}",
    "wordwrap of one word": "{{ ('a' * 1000000)|wordwrap(1) }}",
    "case of a long text": "{% set s = 'a' * 8000000 %}"
    + OFTEN
    + "{% if s is lower %}{% endif %}{% endfor %}{% endfor %}",
    "float of a long text": "{% set s = '1' * 8000000 %}"
    + OFTEN
    + "{% if s|float %}{% endif %}{% endfor %}{% endfor %}",
    "sort of copies of a text": "{{ (['A' * 1000000] * 2000)|sort }}",
    "large number in the source": "{% set n = 0x"
    + "f" * 400000
    + " %}"
    + OFTEN
    + "{{ n % 3 }}{% endfor %}{% endfor %}",
    "large number in JSON": "{% set n = ('9' * 4200)|from_json %}" + OFTEN + "{{ n % 3 }}{% endfor %}{% endfor %}",
    "many branches": OFTEN + "{% if x %}" + "{% elif x %}" * 5000 + "{% endif %}{% endfor %}{% endfor %}",
    "many arguments": "{% macro m() %}{% endmacro %}" + OFTEN + "{{ m(" + "x, " * 5000 + ") }}{% endfor %}{% endfor %}",
    "many conditions": OFTEN + "{% if " + " or ".join(["x"] * 300) + " %}{% endif %}{% endfor %}{% endfor %}",
    "many attributes": "{% set d = {} %}{% do d.update(d=d) %}"
    + OFTEN
    + "{% if d"
    + ".d" * 300
    + " %}{% endif %}{% endfor %}{% endfor %}",
}

HOSTILE = {
    **HOSTILE_ARGUMENTS,
    **HOSTILE_WORK,
    "doubled with ~": "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor "
    "%}",
    "doubled with +": "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}{% endfor "
    "%}",
    "doubled by printing": "{% macro f(s, n) %}{% if n %}{{ f(s ~ s, n - 1) }}{% endif %}{% endmacro %}{{ f('ab' * "
    "100, 39) "
    "}}",
    "doubled in a block": "{% set ns = namespace(s='ab') %}{% for i in range(60) %}{% set s %}{{ ns.s }}{{ ns.s }}{% "
    "endset "
    "%}"
    "{% set ns.s = s %}{% endfor %}",
    "multiplied": "{{ ('a' * 500000000) | length }}",
    "multiplied list": "{{ ([1] * 500000000) | length }}",
    "list doubled": "{% set l = [1] %}{% for i in range(60) %}{% do l.extend(l) %}{% endfor %}",
    "list sum": "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = ns.l + ns.l %}{% endfor %}",
    "list of lists printed": "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% "
    "endfor "
    "%}"
    "{{ ns.l }}",
    "list of lists as JSON": "{% set ns = namespace(l=[1]) %}{% for i in range(60) %}{% set ns.l = [ns.l, ns.l] %}{% "
    "endfor "
    "%}"
    "{{ ns.l|tojson }}",
    "lists compared": "{% set a = namespace(l=[1]) %}{% set b = namespace(l=[1]) %}{% for i in range(60) %}{% "
    "set a.l = "
    "[a.l, a.l] %}"
    "{% set b.l = [b.l, b.l] %}{% endfor %}{{ a.l == b.l }}",
    "list in itself": "{% set l = [] %}{% do l.append(l) %}{{ l }}{{ l|tojson }}",
    "tuple as a key": "{% set ns = namespace(t=(1,)) %}{% for i in range(60) %}{% set ns.t = (ns.t, ns.t) %}{% endfor "
    "%}"
    "{{ ns.t in {} }}",
    "join": "{{ range(100000)|join('a' * 100000) }}",
    "joined strings": "{{ ('x' * 100000).join(('y' * 100000)|list) }}",
    "replace": "{{ ('a' * 100000)|replace('a', 'b' * 100000) }}",
    "replace method": "{{ ('a' * 100000).replace('', 'b' * 100000) }}",
    "center": "{{ 'a'|center(10000000000) }}",
    "ljust": "{{ 'a'.ljust(10000000000) }}",
    "zfill": "{{ 'a'.zfill(10000000000) }}",
    "expandtabs": "{{ '\t'.expandtabs(10000000000) }}",
    "percent": "{{ '%10000000000d' % 1 }}",
    "percent star": "{{ '%*d' % (10000000000, 1) }}",
    "percent precision": "{{ '%.1000000000f' % 1 }}",
    "many percents": "{{ ('%s' * 100000) % (['a' * 10000] * 100000) }}",
    "format": "{{ '{:>10000000000}'.format('a') }}",
    "format filter": "{{ '%10000000000s'|format('a') }}",
    "indent": "{{ ('\n' * 100000)|indent(100000000) }}{{ ('a\n' * 1000000)|indent(120) }}",
    "deep JSON indent": "{% set ns = namespace(l=[1]) %}{% for i in range(900) %}{% set ns.l = [ns.l] + "
    "range(300)|list %}{% "
    "endfor %}"
    "{{ ns.l|tojson(indent=1000000) }}",
    "batch": "{{ [1]|batch(10000000000, 'x')|list }}",
    "slice": "{{ [1]|slice(10000000000)|list }}",
    "power": "{{ 10 ** 10 ** 10 }}",
    "large numbers": "{% set ns = namespace(n=9) %}{% for i in range(100) %}{% set ns.n = ns.n * ns.n %}{% endfor %}",
    "range": "{{ range(10000000000)|list }}",
    "nested loops": "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
    "printing loops": "{% for i in range(100000) %}{% for j in range(100000) %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endfor "
    "%}"
    "{% endfor %}",
    "recursion": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "recursive loop": "{% set l = [] %}{% do l.append(l) %}{% for x in l recursive %}{{ loop(x) }}{% endfor %}",
    "searches": "{% set s = 'a' * 10000000 %}{% for i in range(100000) %}{{ 'b' in s }}{{ s.count('b') }}"
    "{{ s == s ~ '' }}{% endfor %}",
    "upper": "{% set s = 'ß' * 1000000 %}{% for i in range(100000) %}{% set t = s.upper() %}{% endfor %}",
    "many strings": "{% set l = [] %}{% for i in range(100000) %}{% do l.append('a' * 100000) %}{% endfor %}",
    "many small dictionaries": "{% for i in range(1000) %}{% set l = [] %}{% for j in range(100000) %}{% do "
    "l.append({'a': j}) "
    "%}"
    "{% endfor %}{% endfor %}",
    "split": "{{ ('a ' * 10000000).split(' ')|length }}{% for i in range(99) %}"
    "{% set l = ('a ' * 10000000).split() %}{% endfor %}",
    "time format": "{{ strftime_now('%10000000000d') }}",
    "parsed JSON": "{% for i in range(1000) %}{% set x = ('[' ~ '0,' * 1000000 ~ '0]')|from_json %}{% endfor %}",
    "in a condition": "{% if messages|length > 1 %}{% set ns = namespace(s='ab') %}{% for i in range(60) %}"
    "{% set ns.s = ns.s ~ ns.s %}{% endfor %}{% endif %}",
    "deep source": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "long sum": "{{ " + "+".join(["1"] * 20000) + " }}",
    "Python's objects": "{{ messages.__class__.__mro__ }}",
    "a function's globals": "{{ namespace.__globals__ }}{{ raise_exception.__init__.__globals__['os'] }}",
    "an attribute by format": "{{ '{0.__class__}'.format(messages) }}",
    "an attribute by filter": "{{ (messages|attr('__class__')).__mro__ }}",
    "an attribute by map": "{{ ([''] | map(attribute='__class__.__mro__') | list)[0].x }}",
}

CHILD = """
import sys, time
from engine.prompt.jinja.budget import Budget
from engine.prompt.jinja.program import Program
from engine.prompt.jinja.values import Failure
from tests.engine.prompt.test_jinja import HOSTILE
from tests.engine.prompt.template_fuzz import NAMES
for name, source in HOSTILE.items():
    started = time.process_time()
    try:
        Program(source).render(NAMES, Budget(500_000, 64 << 20))
        end = "rendered"
    except Failure as failure:
        end = str(failure)[:60]
    print(f"{name}: {time.process_time() - started:.2f} s, {end}", flush=True)
"""


def _at_most_1_gb() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


@pytest.mark.skipif(sys.platform == "win32", reason="a process's memory is bounded otherwise there")
def test_hostile_template_is_bounded_in_time_and_memory() -> None:
    """Runs in a process that is limited to 1 GB, of which Python and its libraries use about 200 MB."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD], cwd=ROOT, preexec_fn=_at_most_1_gb, capture_output=True, text=True, timeout=240
    )
    lines = child.stdout.splitlines()
    assert child.returncode == 0, f"after {lines[-1:]}: {child.stderr[-2000:]}"
    assert len(lines) == len(HOSTILE)
    slow = [line for line in lines if float(line.rpartition(": ")[2].split(" s")[0]) > 5]
    through = [line for line in lines if line.endswith("rendered")]
    assert not slow
    assert not [line for line in through if not line.startswith(("lists compared", "tuple"))], through


def test_random_template_is_bounded_in_time_and_memory() -> None:
    """The variable INGLENOOK_FUZZ_SECONDS makes the test run for longer."""
    assert fuzz(float(os.environ.get("INGLENOOK_FUZZ_SECONDS", "2")), 5) == []


def test_unknown_filter_raises_failure_only_when_it_is_used() -> None:
    assert render("{% if false %}{{ 1|no_such_filter }}{% endif %}a") == "a"
    with pytest.raises(Failure, match="no_such_filter"):
        render("{{ 1|no_such_filter }}")


def test_long_chat_renders_within_its_budget() -> None:
    source = (
        "{% set ns = namespace(last=-1) %}{% for m in messages[::-1] %}{% if m.role == 'user' and ns.last < 0 %}"
        "{% set ns.last = loop.index0 %}{% endif %}{% endfor %}{% for m in messages %}{{ '<|im_start|>' + "
        "m.role + '\n' }}"
        "{% if '</think>' in m.content %}{{ m.content.split('</think>')[-1].lstrip('\n') }}{% else %}{{ "
        "m.content | trim }}"
        "{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
    )
    messages = [{"role": ("user", "assistant")[n % 2], "content": "Some words. " * 100} for n in range(2000)]
    started = time.process_time()
    assert render(source, {"messages": messages}).count("<|im_end|>") == 2000
    assert time.process_time() - started < 2
