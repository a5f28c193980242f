"""The questions that lead to a method: who knows what the provider gave needs no other word of ours.

Two answers are enough for any method. An answer leads to a question or to a recommendation; one whose methods the operator has
switched off isn't offered.
"""

from dataclasses import dataclass

from authconfigs import methods


@dataclass(frozen=True)
class Recommendation:
    """A method by its code, and why it is the one."""

    method: str
    reason: str


@dataclass(frozen=True)
class Answer:
    """`slug` stands for it in an address; `example` is what the provider's page shows or calls it."""

    slug: str
    text: str
    example: str
    leads_to: "Question | Recommendation"

    @property
    def is_open(self) -> bool:
        """Whether it leads to a method that is available."""
        target = self.leads_to
        if isinstance(target, Question):
            return bool(target.open_answers)
        return methods.by_code(target.method).available()


@dataclass(frozen=True)
class Question:
    text: str
    answers: tuple[Answer, ...]

    @property
    def open_answers(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.is_open]


@dataclass(frozen=True)
class Step:
    """A question that was answered. `before` and `after` are the paths that lead to it, and on from its answer."""

    question: Question
    answer: Answer
    before: str
    after: str


@dataclass(frozen=True)
class Walk:
    """What was answered, and where that has led: the next question, or the recommendation."""

    steps: tuple[Step, ...]
    reached: Question | Recommendation

    @property
    def path(self) -> str:
        return self.steps[-1].after if self.steps else ""

    @property
    def question(self) -> Question | None:
        return self.reached if isinstance(self.reached, Question) else None

    @property
    def recommendation(self) -> Recommendation | None:
        return self.reached if isinstance(self.reached, Recommendation) else None


def walk(path: str) -> Walk:
    """Where a path of answers leads: their slugs with dots between. What can't be followed is left out, and asked again."""
    reached: Question | Recommendation = FIRST
    steps: list[Step] = []
    for slug in path.split("."):
        if not isinstance(reached, Question):
            break
        answer = next((each for each in reached.open_answers if each.slug == slug), None)
        if answer is None:
            break
        before = steps[-1].after if steps else ""
        steps.append(Step(reached, answer, before, f"{before}.{slug}" if before else slug))
        reached = answer.leads_to
    return Walk(tuple(steps), reached)


BEARER = Recommendation(
    "bearer",
    "The token goes into the header Authorization with every request, after the word Bearer. Another word or header can be typed in.",
)
KEY_IN_HEADER = Recommendation(
    "api_key",
    "The key goes with every request, in the header that the provider names. Choose the placement Header.",
)
KEY_IN_URL = Recommendation(
    "api_key",
    "The key goes into the query of every request. Choose the placement Query parameter, and change to a header once the provider takes one: URLs end up in logs.",
)
BASIC = Recommendation(
    "basic",
    "User name and password go with every request, in the form that curl -u sends. Use an account that may do no more than it must.",
)
OWN_NAME = Recommendation(
    "oauth2_client_credentials",
    "The console gets tokens with the client's ID and secret, and renews them. Nobody has to log in.",
)
CONSENT = Recommendation(
    "oauth2_authorization_code",
    "Somebody consents once on the provider's own page, and the console keeps the tokens alive. Nobody's password is stored here.",
)
HANDED_OVER = Recommendation(
    "oauth2_password",
    "The token URL wants the password itself, so that it has to be stored here. Take this only if the provider has no consent page: it is legacy.",
)

PLACE_OF_KEY = Question(
    "Where does the documentation put the key?",
    (
        Answer("header", "In a header of its own", "X-API-Key: …", KEY_IN_HEADER),
        Answer("url", "In the URL", "?api_key=…", KEY_IN_URL),
        Answer(
            "word", "In the header Authorization, after a word", "Authorization: Bearer …", BEARER
        ),
    ),
)
WHO_GETS_THE_PASSWORD = Question(
    "Who is the password handed to?",
    (
        Answer(
            "api", "To the API, with every request", "Authorization: Basic …, or curl -u", BASIC
        ),
        Answer("person", "To nobody: a person logs in at the provider", "A consent page", CONSENT),
        Answer("tokens", "To a token URL, which gives a token", "grant_type=password", HANDED_OVER),
    ),
)
WHO_CONSENTS = Question(
    "Does a person have to log in at the provider and consent?",
    (
        Answer(
            "nobody",
            "No, the software acts in its own name",
            "grant_type=client_credentials",
            OWN_NAME,
        ),
        Answer(
            "person", "Yes, somebody's account gives the access", "An authorization URL", CONSENT
        ),
        Answer(
            "password",
            "No, their password is sent to the token URL",
            "grant_type=password",
            HANDED_OVER,
        ),
    ),
)
WHAT_IS_SHOWN = Question(
    "What does the documentation show in its first example?",
    (
        Answer("bearer", "A token that was copied from a page", "Authorization: Bearer …", BEARER),
        Answer("key", "A key in a header", "X-API-Key: …", KEY_IN_HEADER),
        Answer("query", "A key in the URL", "?api_key=…", KEY_IN_URL),
        Answer("basic", "A user name and a password", "curl -u, or Authorization: Basic …", BASIC),
        Answer("client", "A request for a token", "grant_type=client_credentials", OWN_NAME),
        Answer("consent", "A page where somebody consents", "response_type=code", CONSENT),
        Answer(
            "password", "A request for a token, with a password", "grant_type=password", HANDED_OVER
        ),
    ),
)
FIRST = Question(
    "What did the provider give you?",
    (
        Answer("token", "One token", "Access token, personal access token, bot token", BEARER),
        Answer(
            "key",
            "A key, and the name of a header or parameter",
            "X-API-Key, api_key",
            PLACE_OF_KEY,
        ),
        Answer(
            "user", "A user name and a password", "Service account, login", WHO_GETS_THE_PASSWORD
        ),
        Answer(
            "client",
            "A client ID and a client secret",
            "Application ID, consumer key",
            WHO_CONSENTS,
        ),
        Answer(
            "unsure",
            "Something else, or only documentation",
            "API reference, “Authentication”",
            WHAT_IS_SHOWN,
        ),
    ),
)
