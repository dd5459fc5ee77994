"""AWS Lambda: functions are real processes that speak the Lambda Runtime API.

The order of the files is the walk of an invocation:

    config, constraints -> packages, layers -> registry -> aliases, settings, event_invoke      what a function is
    invoke -> lineage, concurrency      who may invoke it
    runtime_api -> bootstrap, log, sdk, bounds, spec -> workers -> launch -> pool      how one runs
    async_invocations -> destinations      what waits to run, and what is told of it
    executions      all that runs
    service      the operations, and who is handed what
"""
