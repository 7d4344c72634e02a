"""Which settings count as given: by the names that pydantic itself takes, whatever the field is called."""

from typing import Any

import pytest
from experience_runtime.plugins.setting_states import setting_states, unknown_settings
from experience_runtime.settings.references import Missing
from pydantic import AliasChoices, AliasPath, BaseModel, ConfigDict, Field, ValidationError


class Plain(BaseModel):
    url: str


class Aliased(BaseModel):
    url: str = Field(alias="endpoint")


class Validated(BaseModel):
    url: str = Field(validation_alias="endpoint")


class ByNameToo(BaseModel):
    model_config = ConfigDict(populate_by_name=True)
    url: str = Field(alias="endpoint")


class Choices(BaseModel):
    url: str = Field(validation_alias=AliasChoices("endpoint", "address"))


class Inside(BaseModel):
    url: str = Field(validation_alias=AliasPath("hook", "url"))


class WithDefault(BaseModel):
    url: str = Field(default="https://example.com", alias="endpoint")


MODELS: list[type[BaseModel]] = [Plain, Aliased, Validated, ByNameToo, Choices, Inside, WithDefault]
TABLES: list[dict[str, Any]] = [{}, *({name: "https://a.example"} for name in ("url", "endpoint", "address"))]
TABLES.append({"hook": {"url": "https://a.example"}})


def is_taken(model: type[BaseModel], table: dict[str, Any]) -> bool:
    """Whether pydantic reads the field from this table."""
    try:
        return "url" in model.model_validate(table).model_fields_set
    except ValidationError:
        return False


@pytest.mark.parametrize("table", TABLES, ids=str)
@pytest.mark.parametrize("model", MODELS)
def test_a_setting_counts_as_given_exactly_when_it_is_taken(
    model: type[BaseModel], table: dict[str, Any]
) -> None:
    first, *others = setting_states(model, table, {})

    assert first.is_set is is_taken(model, table)
    assert first.required is (model is not WithDefault)
    assert [each.name for each in others if each.known] == []
    assert bool(others) is bool(list(unknown_settings(table, model)))


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (Plain, "url"),
        (Aliased, "endpoint"),
        (Validated, "endpoint"),
        (ByNameToo, "endpoint"),
        (Choices, "endpoint"),
        (Inside, "hook.url"),
    ],
)
def test_a_setting_is_called_as_people_write_it(model: type[BaseModel], name: str) -> None:
    assert [each.name for each in setting_states(model, {}, {})] == [name]


def test_a_variable_that_is_not_set_is_named_under_the_alias() -> None:
    (state,) = setting_states(Aliased, {}, {"endpoint": Missing("it", "set it", variable="HOOK")})

    assert (state.name, state.is_set, state.missing_variable) == ("endpoint", False, "HOOK")
