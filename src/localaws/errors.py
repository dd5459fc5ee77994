"""What goes wrong, in AWS's words.

    AwsError            an answer: a code, a message and a status that an AWS client understands
    StartError          the endpoint can't start: one line for the person who typed the command, with a hint

Every other exception is a bug; the server answers it with InternalFailure (500) and logs the traceback.
"""


class AwsError(Exception):
    """An error that leaves over the wire; wire.py gives it the shape of the service's protocol.

    `code` is AWS's own (the API reference's "Errors" section), `details` become further fields of the answer
    (S3 puts BucketName and Key there).
    """

    def __init__(self, code: str, message: str, status: int = 400, **details: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.details = details
        self.headers: dict[str, str] = {}  # that the answer has beside the protocol's own


class StartError(Exception):
    """The endpoint can't start; `hint` says what to do about it."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(f"{problem}: {hint}")
        self.problem = problem
        self.hint = hint
