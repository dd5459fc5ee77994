-- What could not become an event, and why?
--
-- failure_type      decode_error, not_an_object, missing_field, invalid_field or too_large
-- field             the field that is wrong; NULL if the record as a whole is
-- message           what is wrong with it, without the place in the record
-- records           how many such records arrived
-- distinct_records  how many of them differ; senders repeat what got no answer
-- last_arrival      when last, UTC
-- example_key       a raw object that has one
--
-- What arrived in the last 30 days, which is as long as failed records are kept. To see a record's own bytes:
-- SELECT try(from_utf8(from_base64(raw))) FROM clickstream_failed WHERE raw_key = '...'
SELECT
  failure_type,
  nullif(json_extract_scalar(errors, '$[0].path'), '$') AS field,
  regexp_replace(json_extract_scalar(errors, '$[0].message'), ' at (byte|character) \d+$') AS message,
  count(*) AS records,
  count(DISTINCT raw_sha256) AS distinct_records,
  max(received_ts) AS last_arrival,
  max(raw_key) AS example_key
FROM clickstream_failed
WHERE year || month || day > date_format(current_date - INTERVAL '30' DAY, '%Y%m%d')
GROUP BY 1, 2, 3
ORDER BY records DESC, failure_type, field, message
