"""Workspaces through the API."""

from tests.unit.admin.asking import Ask


def test_a_workspace_is_made_listed_changed_and_deleted(ask: Ask) -> None:
    status, made = ask("POST", "/admin/workspaces", {"name": "Team A", "defaults": {"metadata": {"team": "a"}}})
    assert (status, made["name"], made["defaults"]) == (200, "Team A", {"metadata": {"team": "a"}})
    assert made["slug"].startswith("team-a-")
    assert ask("GET", "/admin/workspaces")[1]["total"] == 2
    assert ask("GET", f"/admin/workspaces/{made['slug']}") == (200, made)
    status, changed = ask("PUT", f"/admin/workspaces/{made['id']}", {"description": "of the team"})
    assert (status, changed["description"], changed["name"]) == (200, "of the team", "Team A")
    assert ask("DELETE", f"/admin/workspaces/{made['id']}") == (200, {})
    assert ask("GET", f"/admin/workspaces/{made['id']}")[0] == 404
