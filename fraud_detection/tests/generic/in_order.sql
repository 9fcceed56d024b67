{#- Rows in which `column_name` is later than `not_after`. -#}
{% test in_order(model, column_name, not_after) %}
select {{ column_name }}
from {{ model }}
where {{ column_name }} > {{ not_after }}
{% endtest %}
