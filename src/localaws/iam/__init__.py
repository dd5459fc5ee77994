"""IAM, where its policies are evaluated: `clicklake up --enforce-iam`, and, of buckets and functions, always.

In the order of a request's walk:

    asked                   HTTP -> which operation with which parameters
    definitions             operation -> the actions that it needs, and the ARNs of what they are about
    principals, context     who asks, with which policies, and under which conditions
    policies, conditions    what a policy says of it
    decision, enforcement   may it?, and AWS's words if not
    service_roles, guard    what services do in the name of roles; what they ask
"""
