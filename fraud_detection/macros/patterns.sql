{#-
  The block of a pattern in `vars.patterns`, with its name as `id`. Called from the pattern's own
  model, which must have the name and use the operator given in the block.
-#}
{% macro pattern_block(id, operator) -%}
  {%- set block = var('patterns').get(id) -%}
  {%- if block is none -%}
    {{ exceptions.raise_compiler_error("pattern '" ~ id ~ "' is not in vars.patterns; known are " ~ var('patterns') | join(', ')) }}
  {%- elif block.view != model.name -%}
    {{ exceptions.raise_compiler_error("pattern '" ~ id ~ "' belongs to view " ~ block.view ~ ", not to model " ~ model.name) }}
  {%- elif block.operator != operator -%}
    {{ exceptions.raise_compiler_error("pattern '" ~ id ~ "' has operator " ~ block.operator ~ ", but its model calls " ~ operator) }}
  {%- endif -%}
  {%- set pattern = {'id': id} -%}
  {%- do pattern.update(block) -%}
  {{ return(pattern) }}
{%- endmacro %}


{#- The columns that a pattern needs of its events; fewer columns are less state in the stream. -#}
{% macro needed_columns(pattern, extra=[]) -%}
  {%- set wanted = ['event_id', 'occurred_at', 'customer_id'] -%}
  {%- if pattern.scope == 'account' -%}{%- do wanted.append('account_id') -%}{%- endif -%}
  {%- do wanted.extend(pattern.key) -%}
  {%- set known = contract(pattern.source) -%}
  {%- if pattern.source == 'transactions' -%}{%- do wanted.append('base_amount') -%}{%- endif -%}
  {%- do wanted.extend(extra) -%}
  {%- for name in known -%}
    {%- if '{' ~ name ~ '}' in pattern.reason -%}{%- do wanted.append(name) -%}{%- endif -%}
  {%- endfor -%}
  {{ return(wanted | unique | list) }}
{%- endmacro %}


{#- The events that a pattern watches: key complete, `where` met, recent enough in live mode. -#}
{% macro watched_events(pattern, window_seconds, extra=[]) -%}
    select
    {%- for name in needed_columns(pattern, extra) %}
        {{ name }},
    {%- endfor %}
        {{ exposure_entry(pattern) }} as exposure_entry
    from {{ ref('stg_' ~ pattern.source) }}
    where
        {{ (key_is_complete(pattern) + conditions(pattern)) | join('\n        and ') }}
        {{- and_read_slice(window_seconds) }}
{%- endmacro %}


{#- Conditions that no part of the key is null. -#}
{% macro key_is_complete(pattern) -%}
  {%- set tests = [] -%}
  {%- for name in pattern.key -%}{%- do tests.append(name ~ ' is not null') -%}{%- endfor -%}
  {{ return(tests) }}
{%- endmacro %}


{#- A pattern's `where`: SQL, or one SQL condition per test; a null passes only `is_null: true`. -#}
{% macro conditions(pattern) -%}
  {%- if pattern.where is string -%}{{ return(['(' ~ with_lists(pattern.where) ~ ')']) }}{%- endif -%}
  {%- set tests = [] -%}
  {%- for c in pattern.where -%}
    {%- if c.sql is defined -%}{%- do tests.append('(' ~ with_lists(c.sql) ~ ')') -%}{%- endif -%}
    {%- if c.equals is defined -%}{%- do tests.append(c.field ~ ' = ' ~ literal(c.equals)) -%}{%- endif -%}
    {%- for name, operation in {'in': 'in', 'not_in': 'not in'}.items() -%}
      {%- if name in c -%}
        {%- set values = [] -%}
        {%- for value in c[name] -%}{%- do values.append(literal(value)) -%}{%- endfor -%}
        {%- do tests.append(c.field ~ ' ' ~ operation ~ ' (' ~ values | join(', ') ~ ')') -%}
      {%- endif -%}
    {%- endfor -%}
    {%- if 'is_null' in c -%}{%- do tests.append(c.field ~ (' is null' if c.is_null else ' is not null')) -%}{%- endif -%}
    {%- if 'at_least' in c -%}{%- do tests.append(c.field ~ ' >= ' ~ bound(c.at_least, c.of)) -%}{%- endif -%}
    {%- if 'below' in c -%}{%- do tests.append(c.field ~ ' < ' ~ bound(c.below, c.of)) -%}{%- endif -%}
  {%- endfor -%}
  {{ return(tests) }}
{%- endmacro %}


{#- A condition with `column in list('name')` written out. -#}
{% macro with_lists(text) -%}
  {%- set pieces = modules.re.split("(?i)\\b([a-z_]+)\\s+(not\\s+)?in\\s+list\\(\\s*'([a-z0-9_]+)'\\s*\\)", text) -%}
  {%- set parts = [] -%}
  {%- for n in range(0, pieces | length, 4) -%}
    {%- do parts.append(pieces[n]) -%}
    {%- if n + 1 < pieces | length -%}
      {%- do parts.append(('not ' if pieces[n + 2] else '') ~ listed(pieces[n + 1], pieces[n + 3])) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(parts | join('')) }}
{%- endmacro %}


{#-
  Whether an entry of a list in `vars.lists` holds the value of a column at the time of the event;
  null where the column is.
-#}
{% macro listed(column, name) -%}
  {%- set list = var('lists', {}).get(name) -%}
  {%- if list is none -%}
    {{ exceptions.raise_compiler_error("list '" ~ name ~ "' is not in vars.lists; known are " ~ var('lists', {}) | join(', ')) }}
  {%- endif -%}
  {%- set periods = {} -%}
  {%- for entry in list.get('entries', []) -%}
    {%- set of = entry if entry is mapping else {'value': entry} -%}
    {%- set bounds = [] -%}
    {%- if of.get('since') -%}{%- do bounds.append("occurred_at >= cast('" ~ of.since ~ "' as timestamptz)") -%}{%- endif -%}
    {%- if of.get('until') -%}{%- do bounds.append("occurred_at < cast('" ~ of.until ~ "' as timestamptz)") -%}{%- endif -%}
    {%- do periods.setdefault(literal(of.value), []).append('(' ~ (bounds | join(' and ') or 'true') ~ ')') -%}
  {%- endfor -%}
  {%- if not periods -%}{{ return('(case when ' ~ column ~ ' is not null then false end)') }}{%- endif -%}
  {%- set branches = [] -%}
  {%- for value, bounds in periods.items() -%}
    {%- do branches.append('when ' ~ value ~ ' then ' ~ bounds | join(' or ')) -%}
  {%- endfor -%}
  {{ return(
      '(case when ' ~ column ~ ' in (' ~ periods | join(', ') ~ ') then case ' ~ column ~ ' ' ~ branches | join(' ')
      ~ ' end when ' ~ column ~ ' is not null then false end)'
  ) }}
{%- endmacro %}


{#- A bound of a condition: a number, or a multiple of the named amount, which the environment may set. -#}
{% macro bound(value, of) -%}
  {%- if not of -%}{{ return(value | string) }}{%- endif -%}
  {%- set amount = (env_var(of | upper, '') or var('amounts')[of]) | float -%}
  {%- set exact = (value * amount) | round(2) -%}
  {{ return((exact | int if exact == exact | int else exact) | string) }}
{%- endmacro %}


{% macro literal(value) -%}
  {%- if value is boolean -%}{{ return('true' if value else 'false') }}
  {%- elif value is string -%}{{ return("'" ~ value | replace("'", "''") ~ "'") }}
  {%- else -%}{{ return(value | string) }}
  {%- endif -%}
{%- endmacro %}


{#-
  The signal rows of a CTE named `fired`, which holds the watched events that fired, `observed` and
  `exposed`. `facts` are what the operator adds to the evidence; `words` what it adds to the reason
  (as text).
-#}
{% macro signal_rows(pattern, facts={}, words={}) -%}
{%- set evidence = {'window_seconds': pattern.window_seconds} -%}
{%- do evidence.update(facts) -%}
{%- set subject = [] -%}
{%- for name in pattern.key -%}{%- do subject.append(as_text(pattern.source, name)) -%}{%- endfor -%}
select
    '{{ pattern.id }}:' || event_id as signal_id,
    '{{ pattern.id }}' as pattern,
    '{{ pattern.rule_id }}' as rule_id,
    '{{ pattern.severity }}' as severity,
    cast({{ pattern.weight }} as double precision) as weight,
    customer_id,
    {{ 'account_id' if pattern.scope == 'account' else 'cast(null as varchar) as account_id' }},
    {{ subject | join(" || '|' || ") }} as subject,
    event_id,
    occurred_at,
    occurred_at - interval '{{ pattern.window_seconds }} seconds' as window_start,
    cast(observed as double precision) as observed,
    cast({{ pattern.threshold }} as double precision) as threshold,
    {{ 'base_amount' if pattern.source == 'transactions' else 'cast(null as ' ~ money_type() ~ ')' }} as amount,
    {{ reason_text(pattern, words) }} as reason,
    {{ json_of(evidence) }} as evidence,
    exposed
from fired
{%- endmacro %}


{#- The columns of a signal, in order. -#}
{% macro signal_columns() -%}
  {{ return([
      'signal_id', 'pattern', 'rule_id', 'severity', 'weight', 'customer_id', 'account_id',
      'subject', 'event_id', 'occurred_at', 'window_start', 'observed', 'threshold', 'amount',
      'reason', 'evidence', 'exposed',
  ]) }}
{%- endmacro %}


{#- The signals of every pattern that is not in shadow, from the view of each. -#}
{% macro union_of_signals() -%}
  {%- set live = [] -%}
  {%- for block in var('patterns').values() if block.get('mode', 'live') == 'live' -%}{%- do live.append(block) -%}{%- endfor -%}
  {%- for block in live %}
select {{ signal_columns() | join(', ') }} from {{ ref(block.view) }}
    {%- if not loop.last %}
union all
    {%- endif %}
  {%- endfor %}
{%- endmacro %}


{#-
  A pattern's reason as a concatenation of its literal parts and its words, the same sentence that
  the embedded engine writes.
-#}
{% macro reason_text(pattern, words) -%}
  {%- set known = {
      'observed': 'cast(cast(trunc(observed) as bigint) as varchar)',
      'threshold': "'" ~ (pattern.threshold | int) ~ "'",
      'window': "'" ~ window_text(pattern.window_seconds) ~ "'",
  } -%}
  {%- do known.update(words) -%}
  {%- set parts = [] -%}
  {%- for piece in modules.re.split('([{][a-z0-9_]+[}])', pattern.reason) -%}
    {%- if piece and piece[0] == '{' -%}
      {%- set name = piece[1:-1] -%}
      {%- do parts.append(known[name] if name in known else as_text(pattern.source, name)) -%}
    {%- elif '{' in piece or '}' in piece -%}
      {{ exceptions.raise_compiler_error("pattern '" ~ pattern.id ~ "': a reason may hold plain {names} only, not " ~ piece) }}
    {%- elif piece -%}
      {%- do parts.append(literal(piece)) -%}
    {%- endif -%}
  {%- endfor -%}
  {{ return(parts | join('\n        || ')) }}
{%- endmacro %}


{#- The window in words. -#}
{% macro window_text(seconds) -%}
  {%- for size, unit in [(3600, 'hour'), (60, 'minute')] -%}
    {%- if seconds % size == 0 -%}
      {%- set count = seconds // size -%}
      {{ return(count ~ ' ' ~ unit ~ ('s' if count != 1 else '')) }}
    {%- endif -%}
  {%- endfor -%}
  {{ return(seconds ~ ' seconds') }}
{%- endmacro %}


{#- A field as the embedded engine formats it in a reason or a subject. -#}
{% macro as_text(stream, name) -%}
  {%- if stream == 'transactions' and name == 'base_amount' -%}
    {{ return('cast(base_amount as varchar)') }}
  {%- endif -%}
  {%- set field = contract(stream).get(name) -%}
  {%- if field is none or field.kind in ('time', 'latitude', 'longitude', 'share', 'ids') -%}
    {{ exceptions.raise_compiler_error("field '" ~ name ~ "' of " ~ stream ~ " has no text that all executions write alike") }}
  {%- elif field.kind == 'flag' -%}
    {{ return("case when " ~ name ~ " then 'True' else 'False' end") }}
  {%- elif field.kind == 'money' -%}
    {{ return('cast(' ~ name ~ ' as varchar)') }}
  {%- elif field.optional -%}
    {{ return('coalesce(' ~ name ~ ", 'None')") }}
  {%- else -%}
    {{ return(name) }}
  {%- endif -%}
{%- endmacro %}


{#- A property of the pattern in a column `pattern`, looked up in the block. -#}
{% macro of_pattern(values) -%}
case pattern
  {%- for id, value in values.items() %}
            when '{{ id }}' then {{ value }}
  {%- endfor %}
        end
{%- endmacro %}
