-- How much arrives late, and how late?
--
-- The numbers of a day can change until its late events are there.
--
-- arrival_date     the UTC day on which the events arrived
-- events           all that arrived
-- late             those that had happened more than 15 minutes before; the stream's own buffering takes 5 at most
-- percent_late     of all
-- of_earlier_days  those that belong to another UTC day, whose numbers they change
-- latest_hours     how late the latest was
--
-- What arrived in the last 30 days, whenever it happened; for another period change the number of days.
SELECT
  CAST(received_ts AS date) AS arrival_date,
  count(*) AS events,
  count_if(late_by_seconds > 900) AS late,
  round(1e2 * count_if(late_by_seconds > 900) / count(*), 1) AS percent_late,
  count_if(event_date < CAST(received_ts AS date)) AS of_earlier_days,
  round(max(late_by_seconds) / 3.6e3, 1) AS latest_hours
FROM clickstream_events_unique
WHERE year || month || day > date_format(current_date - INTERVAL '30' DAY, '%Y%m%d')
GROUP BY CAST(received_ts AS date)
ORDER BY arrival_date DESC
