-- How many repeats arrive, and where do they end?
--
-- Senders repeat what got no answer, and Firehose delivers at least once.
--
-- arrival_date       the UTC day on which they arrived
-- records            all records that arrived, broken ones included
-- dropped            repeats that came in the same raw object as the first, and became no row
-- hidden             repeats that came in another object of the day: rows of clickstream_events that
--                    clickstream_events_unique leaves out
-- percent_repeated   both, of all records
--
-- What arrived in the last 30 days; for another period change the number of days in both places. A repeat that arrives
-- on another day than the first counts as an event of its own, here and in the view.
WITH
  ledger AS (
    SELECT
      year || month || day AS arrival,
      sum(records_in) AS records,
      sum(duplicate) AS dropped
    FROM clickstream_ledger
    WHERE year || month || day > date_format(current_date - INTERVAL '30' DAY, '%Y%m%d')
    GROUP BY year, month, day
  ),
  ids AS (
    SELECT
      year || month || day AS arrival,
      count(*) AS copies
    FROM clickstream_events
    WHERE year || month || day > date_format(current_date - INTERVAL '30' DAY, '%Y%m%d')
    GROUP BY year, month, day, app_id, event_id
  ),
  repeats AS (
    SELECT
      arrival,
      sum(copies - 1) AS hidden
    FROM ids
    GROUP BY arrival
  )
SELECT
  CAST(date_parse(ledger.arrival, '%Y%m%d') AS date) AS arrival_date,
  records,
  dropped,
  coalesce(hidden, 0) AS hidden,
  round(1e2 * (dropped + coalesce(hidden, 0)) / records, 1) AS percent_repeated
FROM ledger
LEFT JOIN repeats ON repeats.arrival = ledger.arrival
ORDER BY arrival_date DESC
