"""CloudWatch's metrics, in the order of a request's walk:

protocols                    HTTP <-> operation and parameters
service                      the operations
put, query                   parameters as points; as what is to be read
expressions, functions       metric math
pages                        answers in pieces
series, statistics           the points by the minute; what is made of them
"""
