"""Fields and what grows on them."""

from dataclasses import dataclass, field


@dataclass
class Field:
    """One field: its name, and how much of what stands on it."""

    name: str
    growth: dict = field(default_factory=dict)

    @classmethod
    def parse(cls, text):
        """Reads `name`, then one `plant: count` a line."""
        name, *lines = [line.strip() for line in text.splitlines() if line.strip()]
        growth = {}
        for line in lines:
            plant, count = line.split(":", 1)
            growth[plant.strip()] = int(count)
        return cls(name, growth)
