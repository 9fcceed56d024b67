{{ config(materialized='view' if target.type == 'risingwave' else 'table') }}

{%- set cases = var('cases') -%}
{%- set opens_at = var('risk').levels[cases.opens_at] -%}
{#- Heaviest pattern first; of equals, the earlier in the block. -#}
{%- set actions = {} -%}
{%- set ranks = {} -%}
{%- set by_weight = [] -%}
{%- for id, block in var('patterns').items() -%}{%- do by_weight.append({'id': id, 'weight': -block.weight, 'action': block.action}) -%}{%- endfor -%}
{%- for entry in by_weight | sort(attribute='weight') -%}
  {%- do actions.update({entry.id: "'" ~ entry.action ~ "'"}) -%}
  {%- do ranks.update({entry.id: loop.index}) -%}
{%- endfor -%}
with moments as (
    select
        customer_id,
        occurred_at,
        signal_id,
        account_id,
        pattern,
        weight,
        exposed,
        0 as closes
    from {{ ref('mv_fraud_signals') }}

    union all

    -- a closing covers the signals up to its moment, that moment included
    select
        customer_id,
        closed_until as occurred_at,
        cast(null as varchar) as signal_id,
        cast(null as varchar) as account_id,
        cast(null as varchar) as pattern,
        cast(null as double precision) as weight,
        {{ no_entries() }} as exposed,
        1 as closes
    from {{ reviews() }}
    where status = 'CLOSED' and closed_until is not null
),

placed as (
    select
        *,
        sum(closes) over (
            partition by customer_id
            order by occurred_at, closes, signal_id
            rows between unbounded preceding and current row
        ) as closed_before
    from moments
),

signals as (
    select
        *,
        lag(occurred_at) over (partition by customer_id, closed_before order by occurred_at, signal_id) as previous_at
    from placed
    where closes = 0
),

-- a gap longer than gap_seconds starts another session of signals
sessions as (
    select
        *,
        sum(case when previous_at >= occurred_at - interval '{{ cases.gap_seconds }} seconds' then 0 else 1 end) over (
            partition by customer_id, closed_before
            order by occurred_at, signal_id
            rows between unbounded preceding and current row
        ) as session_number
    from signals
),

entries as (
    select
        customer_id,
        closed_before,
        session_number,
        signal_id,
        occurred_at,
        unnest(exposed) as entry
    from sessions
),

-- a transaction that several signals expose counts once, at the first of them
counted_entries as (
    select
        *,
        row_number() over (
            partition by customer_id, closed_before, session_number, entry
            order by occurred_at, signal_id
        ) as place
    from entries
),

money as (
    select
        customer_id,
        signal_id,
        sum({{ entry_amount('entry') }}) as exposure
    from counted_entries
    where place = 1
    group by customer_id, signal_id
),

steps as (
    select
        sessions.customer_id,
        sessions.closed_before,
        sessions.session_number,
        sessions.signal_id,
        sessions.occurred_at,
        {{ exact('sessions.weight') }} as weight,
        row_number() over (
            partition by sessions.customer_id, sessions.closed_before, sessions.session_number, sessions.pattern
            order by sessions.occurred_at, sessions.signal_id
        ) as place_of_pattern,
        coalesce(money.exposure, 0) as exposure
    from sessions
    left join money on sessions.customer_id = money.customer_id and sessions.signal_id = money.signal_id
),

sums as (
    select
        *,
        sum(case when place_of_pattern = 1 then weight else 0 end) over (
            partition by customer_id, closed_before, session_number
            order by occurred_at, signal_id
            rows between unbounded preceding and current row
        ) as weight_so_far,
        sum(exposure) over (
            partition by customer_id, closed_before, session_number
            order by occurred_at, signal_id
            rows between unbounded preceding and current row
        ) as exposure_so_far
    from steps
),

sufficient as (
    select
        customer_id,
        closed_before,
        session_number,
        min(occurred_at) as opened_at
    from sums
    where
        round(weight_so_far, 6) >= {{ opens_at }}
        or {{ expected_loss('exposure_so_far', 'least(1, round(weight_so_far, 6))') }} >= {{ cases.opens_at_loss }}
    group by customer_id, closed_before, session_number
),

ranked_openings as (
    select
        *,
        row_number() over (partition by customer_id, closed_before order by session_number) as place
    from sufficient
),

-- the first session that suffices opens the case; every later signal joins it
members as (
    select
        sessions.*,
        openings.opened_at
    from sessions
    inner join ranked_openings as openings
        on sessions.customer_id = openings.customer_id
        and sessions.closed_before = openings.closed_before
        and sessions.session_number >= openings.session_number
    where openings.place = 1
),

distinct_accounts as (
    select distinct
        customer_id,
        closed_before,
        account_id
    from members
    where account_id is not null
),

accounts as (
    select
        customer_id,
        closed_before,
        string_agg(account_id, ', ' order by account_id) as account_ids
    from distinct_accounts
    group by customer_id, closed_before
),

gathered as (
    select
        customer_id,
        closed_before,
        count(*) as signal_count,
        min(occurred_at) as first_signal_at,
        max(occurred_at) as last_signal_at,
        min(opened_at) as opened_at
    from members
    group by customer_id, closed_before
),

member_entries as (
    select
        customer_id,
        closed_before,
        unnest(exposed) as entry
    from members
),

distinct_entries as (
    select distinct
        customer_id,
        closed_before,
        entry
    from member_entries
),

exposures as (
    select
        customer_id,
        closed_before,
        sum({{ entry_amount('entry') }}) as exposure,
        sum(case when split_part(entry, ' ', 1) = 'gone' then {{ entry_amount('entry') }} else 0 end) as already_gone
    from distinct_entries
    group by customer_id, closed_before
),

patterns as (
    select
        customer_id,
        closed_before,
        pattern,
        max({{ exact('weight') }}) as weight,
        min(occurred_at) as first_at,
        {{ of_pattern(actions) }} as action,
        {{ of_pattern(ranks) }} as action_rank
    from members
    group by customer_id, closed_before, pattern
),

ranked_actions as (
    select
        *,
        row_number() over (partition by customer_id, closed_before, action order by action_rank) as place_of_action
    from patterns
),

scores as (
    select
        customer_id,
        closed_before,
        cast(least(1, round(sum(weight), 6)) as double precision) as score,
        string_agg(pattern, ', ' order by first_at, pattern) as patterns,
        string_agg(case when place_of_action = 1 then action end, ', ' order by action_rank) as actions,
        {{ first_in_order('action', 'action_rank') }} as recommended_action
    from ranked_actions
    group by customer_id, closed_before
),

cases as (
    select
        gathered.*,
        coalesce(accounts.account_ids, '') as account_ids,
        scores.score,
        scores.patterns,
        scores.actions,
        scores.recommended_action,
        {{ risk_level('scores.score') }} as level,
        coalesce(exposures.exposure, 0) as exposure,
        coalesce(exposures.already_gone, 0) as already_gone
    from gathered
    inner join scores
        on gathered.customer_id = scores.customer_id
        and gathered.closed_before = scores.closed_before
    left join accounts
        on gathered.customer_id = accounts.customer_id
        and gathered.closed_before = accounts.closed_before
    left join exposures
        on gathered.customer_id = exposures.customer_id
        and gathered.closed_before = exposures.closed_before
)

select
    {{ case_id('closed_before') }} as case_id,
    customer_id,
    account_ids,
    level,
    score,
    patterns,
    signal_count,
    exposure,
    already_gone,
    first_signal_at,
    last_signal_at,
    opened_at,
    case level
{%- for level, seconds in cases.due_seconds.items() %}
        when '{{ level }}' then opened_at + interval '{{ seconds }} seconds'
{%- endfor %}
    end as due_at,
    recommended_action,
    actions,
    false as withdrawn,
    case when closed_before > 0 then {{ case_id('closed_before - 1') }} end as previous_case_id
from cases
