"""Agents and frameworks, each going round its own loop over OCI and over a provider that speaks chat completions only."""
import asyncio

import agents
import openai
import pydantic
import pytest
from anthropic import AsyncAnthropic
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from pydantic_ai import Agent
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIResponsesModel, OpenAIResponsesModelSettings
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

# It would send each run to its maker.
agents.set_tracing_disabled(True)

both_ways = pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
FORECAST = "drizzle, 7 degrees"


class Person(pydantic.BaseModel):
    name: str
    age: int


@pytest.fixture
def asked():
    """Cities that the tool has been asked for."""
    return []


# OpenAI's agents


def responses_client(door):
    return openai.AsyncOpenAI(base_url=f"{door.base}/v1", api_key=door.key, max_retries=0)


def run_agent(door, make, text, streams, **settings):
    """The last output, and the agent that has given it."""

    async def run():
        async with responses_client(door) as client:
            agent = make(agents.OpenAIResponsesModel(door.model, client))
            if not streams:
                return await agents.Runner.run(agent, text, max_turns=5, **settings)
            result = agents.Runner.run_streamed(agent, text, max_turns=5, **settings)
            async for _ in result.stream_events():
                pass
            return result

    result = asyncio.run(run())
    return result.final_output, result.last_agent.name


def weather_tool(asked):
    @agents.function_tool
    def get_weather(city: str) -> str:
        """Current weather.

        Args:
            city: Where.
        """
        asked.append(city)
        return FORECAST

    return get_weather


@both_ways
def test_openai_agents_use_a_tool(door, asked, streams):
    output, _ = run_agent(
        door, lambda model: agents.Agent(name="a", instructions="Be brief.", model=model, tools=[weather_tool(asked)]), "Use get_weather for Oslo.", streams)
    assert FORECAST in output and asked == ["example"]


@both_ways
def test_openai_agents_build_on_the_last_response(door, asked, streams):
    output, _ = run_agent(
        door, lambda model: agents.Agent(name="a", model=model, tools=[weather_tool(asked)]), "Use get_weather for Oslo.", streams,
        auto_previous_response_id=True)
    assert FORECAST in output and asked == ["example"] and "Oslo" in door.last


@both_ways
def test_openai_agents_hand_over(door, streams):
    def make(model):
        sailor = agents.Agent(name="sailor", handoff_description="Knows the sea", model=model)
        return agents.Agent(name="clerk", model=model, handoffs=[sailor])

    output, name = run_agent(door, make, "Please transfer_to_sailor.", streams)
    assert name == "sailor" and "sailor" in output


@both_ways
def test_openai_agents_want_an_output_of_a_type(door, streams):
    output, _ = run_agent(door, lambda model: agents.Agent(name="a", model=model, output_type=Person), "A person, please.", streams)
    assert isinstance(output, Person)


# LangChain


def langchain(door, **settings):
    return ChatAnthropic(model=door.model, base_url=door.base, api_key=door.key, max_tokens=500, max_retries=0, **settings)


@both_ways
def test_langchain_uses_tools(door, streams):
    @tool
    def get_weather(city: str) -> str:
        """Current weather."""
        return FORECAST

    @tool
    def get_time() -> str:
        """The time."""
        return "half past nine"

    tools = {made.name: made for made in (get_weather, get_time)}
    model = langchain(door).bind_tools(list(tools.values()))

    def turn(messages):
        if not streams:
            return model.invoke(messages)
        whole = None
        for chunk in model.stream(messages):
            whole = chunk if whole is None else whole + chunk
        return whole

    messages = [HumanMessage("Use get_weather and get_time.")]
    first = turn(messages)
    assert [(call["name"], call["args"]) for call in first.tool_calls] == [("get_weather", {"city": "example"}), ("get_time", {})]
    assert first.response_metadata["stop_reason"] == "tool_use" and first.usage_metadata["total_tokens"] > 0
    messages += [first, *(ToolMessage(tools[call["name"]].invoke(call["args"]), tool_call_id=call["id"]) for call in first.tool_calls)]
    second = turn(messages)
    assert not second.tool_calls and second.text == f"The tools answered: {FORECAST}; half past nine"


@both_ways
def test_langchain_streams_text(door, streams):
    model = langchain(door)
    chunks = list(model.stream("Say hello to the harbour.")) if streams else [model.invoke("Say hello to the harbour.")]
    assert "harbour" in "".join(chunk.text for chunk in chunks)


def test_langchain_wants_an_output_of_a_type(door):
    answer = langchain(door).with_structured_output(Person).invoke("Call Person, please.")
    assert isinstance(answer, Person)


# Pydantic AI


def anthropic_model(door):
    client = AsyncAnthropic(base_url=door.base, api_key=door.key, max_retries=0)
    return AnthropicModel(door.model, provider=AnthropicProvider(anthropic_client=client), settings={"max_tokens": 500})


def responses_model(door):
    return OpenAIResponsesModel(
        door.model, provider=OpenAIProvider(openai_client=responses_client(door)), settings=OpenAIResponsesModelSettings(max_tokens=500))


@both_ways
@pytest.mark.parametrize("model", [anthropic_model, responses_model], ids=["messages", "responses"])
def test_pydantic_ai_uses_a_tool(door, asked, model, streams):
    def get_weather(city: str) -> str:
        """Current weather."""
        asked.append(city)
        return FORECAST

    async def run():
        agent = Agent(model(door), instructions="Be brief.", tools=[get_weather])
        if not streams:
            return (await agent.run("Use get_weather for Oslo.")).output
        async with agent.run_stream("Use get_weather for Oslo.") as result:
            return await result.get_output()

    assert FORECAST in asyncio.run(run()) and asked == ["example"]


@pytest.mark.parametrize("model", [anthropic_model, responses_model], ids=["messages", "responses"])
def test_pydantic_ai_wants_an_output_of_a_type(door, model):
    async def run():
        return (await Agent(model(door), output_type=Person).run("Call final_result with a person.")).output

    assert isinstance(asyncio.run(run()), Person)


@pytest.mark.parametrize("model", [anthropic_model, responses_model], ids=["messages", "responses"])
def test_pydantic_ai_goes_on(door, model):
    async def run():
        agent = Agent(model(door))
        first = await agent.run("The password is swordfish.")
        return (await agent.run("What is the password?", message_history=first.all_messages())).output

    assert "What is the password?" in asyncio.run(run()) and "swordfish" in door.last
