"""The way back after a sign-in leads to our own pages and nowhere else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.sharing.returning import own_address

PUBLIC = "https://triage.example.org"
PAGES = ("worklist", "study", "upload")
ID = "0123456789abcdef" * 2
VIEW = "2-1*0-1.18.zc*0-2r.8.f120.c-5_40.w-1p5_900.i"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (f"{PUBLIC}/study?study={ID}", f"/study?study={ID}"),
        (f"{PUBLIC}/study?study={ID}&view={VIEW}&slice=3", f"/study?study={ID}&view={VIEW}"),
        (f"/study?study={ID}", f"/study?study={ID}"),
        (f"{PUBLIC}/?study={ID}", f"/?study={ID}"),
        (f"{PUBLIC}/upload", "/upload"),
        (f"{PUBLIC}/", ""),
        ("", ""),
        (f"{PUBLIC}/study?study={ID}&name=OKAFOR", f"/study?study={ID}"),
        (f"{PUBLIC}/study?study=OKAFOR", "/study"),
        (f"{PUBLIC}/study?study={ID}#token", f"/study?study={ID}"),
    ],
)
def test_our_own_pages_are_found_again(url: str, address: str) -> None:
    assert own_address(url, PUBLIC, PAGES) == address


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/study",
        "//evil.example/study",
        "http://triage.example.org/study",
        "https://triage.example.org.evil.example/study",
        "https://triage.example.org@evil.example/study",
        f"{PUBLIC}//evil.example",
        f"{PUBLIC}/auth/logout",
        f"{PUBLIC}/study/../auth/logout",
        "javascript:alert(1)",
        "/\\evil.example",
        "http://[",
        f"{PUBLIC}/study?" + "study=1&" * 50,
    ],
)
def test_nothing_else_is(url: str) -> None:
    assert own_address(url, PUBLIC, PAGES) == ""


@given(st.text())
def test_whatever_comes_the_answer_begins_with_one_of_our_pages(url: str) -> None:
    address = own_address(url, PUBLIC, PAGES)
    assert address == "" or address.split("?")[0] in ("/", *(f"/{page}" for page in PAGES))
