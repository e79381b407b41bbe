"""The same sums for Inspect."""
from inspect_ai import Task, task
from inspect_ai.dataset import Sample, json_dataset
from inspect_ai.scorer import includes, match
from inspect_ai.solver import generate


def sample(row):
    return Sample(input=row["question"], target=row["answer"], id=row["question"],
                  metadata={"group": row["group"], "category": row["category"]})


@task
def sums(data: str):
    return Task(dataset=json_dataset(data, sample), solver=generate(),
                scorer=[match(location="end"), includes()])
