-- Fails where more than one row in a hundred has no score.
select count(*) filter (score_error is not null) as failed, count(*) as total
from {{ ref('scored_customers') }}
having failed > 0.01 * total
