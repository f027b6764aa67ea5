"""The attack: hostile clients in a process of their own; prints one line of JSON."""

import argparse
import asyncio
from dataclasses import asdict
import json
import random

from benchmarks.load import name

from .clients import Plan, Tally, attack
from .mutate import Mutator, load

VERSIONS = ("1.6", "2.0.1", "2.1")
"""Which a hostile client speaks, by turns."""


async def main() -> None:
    """Attack until the frames are used up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--victims", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--only", nargs="*", default=())
    args = parser.parse_args()
    corpora = [load(version) for version in VERSIONS]
    tally = Tally(left=args.frames)
    plans = []
    for number in range(args.clients):
        chance = random.Random(args.seed * 1000 + number)
        # Each identity keeps to one version, as chargers do.
        corpus = corpora[number % len(VERSIONS)]
        plans.append(
            Plan(
                port=args.port,
                # Approved and known, so that its frames are really handled.
                identity=name(args.victims + number),
                source=f"127.0.{1 + number // 200}.{1 + number % 200}",
                victim=name(chance.randrange(args.victims)),
                mutator=Mutator(corpus, chance),
                corpus=corpus,
                random=chance,
                tally=tally,
            )
        )
    await asyncio.gather(*(attack(plan, frozenset(args.only)) for plan in plans))
    print(json.dumps(asdict(tally)), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
