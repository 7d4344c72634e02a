"""Names: the integrations and visitors of a story are those that are there; a mistyped one is refused."""

from collections.abc import Sequence

from experience_runtime.domain.errors import ExperienceError, InvalidParameter, Refusal
from experience_runtime.domain.values import nearest
from experience_runtime.simulation.story import CancelStep, Story


def check_names(story: Story, integrations: Sequence[str]) -> None:
    """Raise InvalidParameter for the first name that nothing has, with the near miss."""
    named = [(f"answers.{name}", name) for name in story.answers]
    for index, step in enumerate(story.steps):
        if isinstance(step, CancelStep):
            named.append((f"steps[{index}].integration", step.integration))
    for index, each in enumerate(story.expect):
        if each.integration is not None:
            named.append((f"expect[{index}].integration", each.integration))
    for place, name in named:
        if name not in integrations:
            _refuse(place, name, integrations, "an integration")
    _check_codes(story)
    declared = [visitor.id for visitor in story.visitors]
    acting = [step.visitor for step in story.steps if step.visitor is not None]
    for index, step in enumerate(story.steps):
        # whoever is in no list is known by nothing but the id; one that is nearly in it is meant to be
        if step.visitor is not None and step.visitor not in declared and _close(step.visitor, declared):
            _refuse(f"steps[{index}].visitor", step.visitor, declared, "one of the visitors")
    there = list(dict.fromkeys([*declared, *acting]))
    for index, each in enumerate(story.expect):
        if each.visitor is not None and each.visitor not in there:
            _refuse(f"expect[{index}].visitor", each.visitor, there, "a visitor of this story")


def _check_codes(story: Story) -> None:
    """A code that is nearly one of ours is meant to be; an integration may have others of its own."""
    known = [kind.code for kind in (*Refusal.__subclasses__(), *ExperienceError.__subclasses__())]
    for index, each in enumerate(story.expect):
        if each.refused is not None and each.refused not in known and _close(each.refused, known):
            _refuse(f"expect[{index}].refused", each.refused, known, "a code")


def _close(name: str, known: Sequence[str]) -> bool:
    if any(char.isdigit() for char in name):
        return False  # numbered ids are near each other, and mean each their own
    return nearest(name, known, cutoff=0.6) is not None


def _refuse(place: str, name: str, known: Sequence[str], what: str) -> None:
    meant = nearest(name, known, cutoff=0.6)
    hint = f'did you mean "{meant}"?' if meant else f"there are {', '.join(known) or 'none'}"
    raise InvalidParameter(f'{place} "{name[:100]}" is not {what}; {hint}')
