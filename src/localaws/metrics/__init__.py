"""What the endpoint tells of itself, in numbers:

definitions      every metric: its name, its help, and the metrics of CloudWatch that it feeds
registry         the numbers
exposition       the numbers as Prometheus reads them
sampling         reads the services' own counters, and feeds CloudWatch
firehose, functions, queries, process, requests   from what each service knows to the metrics of the table
"""
