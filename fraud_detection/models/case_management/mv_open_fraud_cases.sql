{{ config(indexes=[{'columns': ['account_id']}, {'columns': ['customer_id']}] if target.type == 'risingwave' else []) }}

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
with steps as (
    select
        *,
        lag(occurred_at) over (partition by account_id order by occurred_at, signal_id) as previous_at
    from {{ ref('account_signals') }}
),

-- a gap longer than gap_seconds starts another session window
numbered as (
    select
        *,
        sum(case when previous_at >= occurred_at - interval '{{ cases.gap_seconds }} seconds' then 0 else 1 end) over (
            partition by account_id
            order by occurred_at, signal_id
            rows between unbounded preceding and current row
        ) as session_window
    from steps
),

-- the amount of an event at which several patterns fired counts once
exposed as (
    select
        *,
        row_number() over (partition by account_id, session_window, event_id order by signal_id) as place_at_event
    from numbered
),

session_windows as (
    select
        account_id,
        session_window,
        {{ first_in_order('customer_id', 'occurred_at, signal_id') }} as customer_id,
        count(*) as signal_count,
        coalesce(sum(case when place_at_event = 1 then amount end), 0) as exposure,
        min(occurred_at) as first_signal_at,
        max(occurred_at) as last_signal_at
    from exposed
    group by account_id, session_window
),

patterns as (
    select
        account_id,
        session_window,
        pattern,
        max({{ exact('weight') }}) as weight,
        min(occurred_at) as first_at,
        {{ of_pattern(actions) }} as action,
        {{ of_pattern(ranks) }} as action_rank
    from numbered
    group by account_id, session_window, pattern
),

weighed as (
    select
        *,
        sum(weight) over (
            partition by account_id, session_window
            order by first_at, pattern
            rows between unbounded preceding and current row
        ) as weight_so_far,
        row_number() over (partition by account_id, session_window, action order by action_rank) as place_of_action
    from patterns
),

scores as (
    select
        account_id,
        session_window,
        cast(least(1, round(sum(weight), 6)) as double precision) as score,
        string_agg(pattern, ', ' order by first_at, pattern) as patterns,
        string_agg(case when place_of_action = 1 then action end, ', ' order by action_rank) as actions,
        {{ first_in_order('action', 'action_rank') }} as recommended_action,
        min(case when round(weight_so_far, 6) >= {{ opens_at }} then first_at end) as opened_at
    from weighed
    group by account_id, session_window
),

cases as (
    select
        'case_' || left(md5(
            session_windows.account_id || '|' || cast({{ epoch_microseconds('session_windows.first_signal_at') }} as varchar)
        ), 12) as case_id,
        session_windows.account_id,
        session_windows.customer_id,
        {{ risk_level('scores.score') }} as level,
        scores.score,
        scores.patterns,
        session_windows.signal_count,
        session_windows.exposure,
        session_windows.first_signal_at,
        session_windows.last_signal_at,
        scores.opened_at,
        scores.recommended_action,
        scores.actions
    from session_windows
    inner join scores
        on session_windows.account_id = scores.account_id
        and session_windows.session_window = scores.session_window
    where scores.opened_at is not null
),

-- of two profiles at the same time, the one with the later event_id is in force
ranked_profiles as (
    select
        customer_id,
        risk_tier,
        row_number() over (partition by customer_id order by occurred_at desc, event_id desc) as place
    from {{ ref('stg_kyc_profiles') }}
),

profiles as (
    select customer_id, risk_tier
    from ranked_profiles
    where place = 1
)

select
    cases.case_id,
    cases.account_id,
    cases.customer_id,
    cases.level,
    cases.score,
    cases.patterns,
    cases.signal_count,
    cases.exposure,
    cases.first_signal_at,
    cases.last_signal_at,
    cases.opened_at,
    case cases.level
{%- for level, seconds in cases.due_seconds.items() %}
        when '{{ level }}' then cases.opened_at + interval '{{ seconds }} seconds'
{%- endfor %}
    end as due_at,
    profiles.risk_tier as kyc_risk_tier,
    cases.recommended_action,
    cases.actions,
    false as withdrawn,
{%- if target.type == 'risingwave' %}
    reviews.owner,
    coalesce(reviews.status, 'NEW') as status
{%- else %}
    cast(null as varchar) as owner,
    'NEW' as status
{%- endif %}
from cases
left join profiles on cases.customer_id = profiles.customer_id
{%- if target.type == 'risingwave' %}
left join {{ ref('case_reviews') }} as reviews on cases.case_id = reviews.case_id
where coalesce(reviews.status, 'NEW') <> 'CLOSED'
{%- endif %}
