"""Chaos: the pipeline while everything goes wrong that can, and then a reckoning by id.

    python -m chaos                         100 kills
    python -m chaos --seed 7 --kills 20
    python -m chaos --clients retrying

Events with known ids are sent all the time: by clients that send each batch once, whose every acknowledged id must be
there exactly once, and by clients that send a batch again until it is acknowledged, whose every id must be exactly
once in `clickstream_events_unique`. Meanwhile, in an order that the seed decides, the endpoint and its workers are
killed with SIGKILL, the disk is filled, the end of the Firehose log is damaged while nobody has it open,
notifications come twice, late and out of order, and S3 writes fail. Then it is left alone until everything has
arrived, and every id is looked for in the files of the lake, and through Athena.

    plan       which blow falls when
    senders    who sends what, and what was acknowledged
    blows      how each is dealt; damage.py is what the Firehose log suffers, disk.py a small one
    lake       what is there, from its files
    reckoning  what was sent against what is there
"""
