"""Stored runs as three SQL views, read in place by duckdb (optional extra ``sql``): runs, metrics, episodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.errors import UsageError
from zoo.results.store import Run
from zoo.training.files import is_file
from zoo.training.run import EVAL, METRICS, SPEC, STATUS

VIEWS = {
    "runs": "run, algorithm, environment, seed, key, plugin_version, state, step, steps, num_envs, outcome, wall, "
    "config, env_config, metrics",
    "metrics": "run, step, wall, metric, value",
    "episodes": "run, step, episode, return, length, cost, seed",
}
_EMPTY = "(SELECT NULL::VARCHAR AS run, NULL::JSON AS json WHERE false)"


@dataclass(frozen=True)
class Answer:
    """What a query returned: names of the columns, and rows as tuples of plain values."""

    columns: list[str]
    rows: list[tuple[Any, ...]]

    @property
    def records(self) -> list[dict[str, Any]]:
        """One mapping for each row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def query(runs: Sequence[Run], sql: str) -> Answer:
    """Answer one SELECT over the views of ``runs``; nothing but their files can be read, and nothing written.

    Raises:
        UsageError: duckdb is not installed, the SQL is wrong, or it is no SELECT.
    """
    try:
        import duckdb
    except ImportError:
        raise UsageError(
            "--sql needs duckdb, which is not installed.", "pip install 'zoo-core[sql]' installs it."
        ) from None
    with duckdb.connect(":memory:") as connection:
        try:
            _views(connection, [run.path for run in runs])
            _close_doors(connection, [run.path for run in runs])
            statements = connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise UsageError("--sql takes one SELECT over the views runs, metrics and episodes.", _hint())
            found = connection.execute(statements[0])
            columns = [str(column[0]) for column in found.description or ()]
            return Answer(columns, found.fetchall())
        except duckdb.Error as error:
            raise UsageError(f"--sql: {_sentence(str(error))}", _hint()) from error


def _views(connection: Any, folders: Sequence[Path]) -> None:
    spec, status = _objects(folders, SPEC, lines=False), _objects(folders, STATUS, lines=False)
    connection.execute(f"""
        CREATE VIEW runs AS
        SELECT spec.run, regexp_extract(spec.json->>'algorithm', '[^/]*$') AS algorithm,
               regexp_extract(spec.json->>'environment', '(gym:|.*/)?(.*)$', 2) AS environment,
               (spec.json->>'seed')::BIGINT AS seed, spec.json->>'key' AS key,
               spec.json->>'plugin_version' AS plugin_version, coalesce(status.json->>'state', 'new') AS state,
               (status.json->>'step')::BIGINT AS step, (spec.json->>'steps')::BIGINT AS steps,
               (spec.json->>'num_envs')::BIGINT AS num_envs, status.json->>'outcome' AS outcome,
               (status.json->>'wall')::DOUBLE AS wall, spec.json->'config' AS config,
               spec.json->'env_config' AS env_config, status.json->'metrics' AS metrics
        FROM {spec} AS spec LEFT JOIN {status} AS status USING (run)""")  # noqa: S608 - paths are quoted below
    connection.execute(f"""
        CREATE VIEW metrics AS
        SELECT run, (json->>'step')::BIGINT AS step, (json->>'wall')::DOUBLE AS wall, metric,
               TRY_CAST(json->>('$."' || metric || '"') AS DOUBLE) AS value
        FROM (SELECT run, json, unnest(json_keys(json)) AS metric FROM {_objects(folders, METRICS, lines=True)})
        WHERE metric NOT IN ('step', 'wall')""")  # noqa: S608
    connection.execute(f"""
        CREATE VIEW episodes AS
        SELECT run, (json->>'step')::BIGINT AS step, (json->>'episode')::BIGINT AS episode,
               (json->>'return')::DOUBLE AS return, (json->>'length')::BIGINT AS length,
               (json->'cost')::DOUBLE[] AS cost, (json->>'seed')::BIGINT AS seed
        FROM {_objects(folders, EVAL, lines=True)}""")  # noqa: S608


def _objects(folders: Sequence[Path], name: str, *, lines: bool) -> str:
    """A table expression with the columns ``run`` and ``json``; what does not parse is left out."""
    files = [folder / name for folder in folders if is_file(folder / name) and (folder / name).stat().st_size]
    if not files:
        return _EMPTY
    folder = "regexp_replace(filename, '[/\\\\][^/\\\\]*$', '')"
    if lines:
        source = f"read_json_objects([{_quoted(files)}], format='newline_delimited', ignore_errors=true, filename=true)"
        return f"(SELECT {folder} AS run, json FROM {source} WHERE json IS NOT NULL)"  # noqa: S608
    # Unlike read_json_objects this survives a file that was torn in the middle.
    source = f"read_text([{_quoted(files)}]) WHERE json_valid(content)"
    return f"(SELECT {folder} AS run, content::JSON AS json FROM (SELECT filename, content FROM {source}))"  # noqa: S608


def _close_doors(connection: Any, folders: Sequence[Path]) -> None:
    """From here on only these runs can be read, nothing can be installed, and none of this be undone."""
    files = [path for folder in folders for name in (SPEC, STATUS, METRICS, EVAL) if is_file(path := folder / name)]
    connection.execute(f"SET allowed_paths=[{_quoted(files)}]")
    for setting in ("autoinstall_known_extensions=false", "autoload_known_extensions=false",
                    "enable_external_access=false", "lock_configuration=true"):  # fmt: skip
        connection.execute(f"SET {setting}")


def _quoted(paths: Iterable[Path]) -> str:
    return ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)


def _sentence(text: str) -> str:
    """The first paragraph of an error of duckdb, as one line; the part that repeats the query is left out."""
    lines = [line for line in text.split("\n\nLINE ")[0].splitlines() if line.strip()]
    kept = [line.strip() for line in lines if not line.startswith("LINE ")]
    return " ".join(kept).rstrip(".") + "."


def _hint() -> str:
    return "The views are " + "; ".join(f"{name}({columns})" for name, columns in VIEWS.items()) + "."
