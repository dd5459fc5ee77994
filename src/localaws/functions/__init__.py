"""AWS Lambda: functions are real processes that speak the Lambda Runtime API.

The order of the files is the walk of an invocation:

    config -> packages -> registry -> settings      what a function is
    runtime_api -> bootstrap, log -> workers -> pool      how one runs
    async_invocations      what waits to run
    service      the operations, and who is handed what
"""
