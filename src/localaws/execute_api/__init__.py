"""API Gateway's HTTP APIs: what a client without any signature reaches a function by.

In the order in which a request meets them:

    addresses         which API a request is for: by its path or by its host
    gateway           the walk: stage, preflight, route, throttle, permission, function, answer, log line
    routes            which route a path and method choose
    cors              what a browser is told
    throttling        token buckets
    event             the request as the function gets it: payload format 2.0
    answers           what the function said as an HTTP answer
    access_log        a line for each request
    exchange          how requests come in and answers go out
    function_url      the same for a function's own URL

and what makes them: `apis` and `parts` are the control plane (one document for each API in the Store), `settings` what
it refuses, `published` what a stage serves.

docs.aws.amazon.com/apigateway/latest/developerguide/http-api.html. What is not done, and what is not known of AWS, is
in docs/http-api.md.
"""
