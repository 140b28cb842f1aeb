#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""Exports of many records in one document: JSON that is not one a line, CSV.

Elasticsearch's and Loki's answers to a search, a JSON list, pretty-printed
records, OTLP, the CSV of Kibana, Grafana, Graylog and Splunk. Each becomes
one JSON object a line, which formats.py reads.
"""

import csv
import io
import json
import re

from keeptrack.audit.logs import formats

# such a document is read as a whole
LARGEST = 64 << 20

_JSON = re.compile(rb'\s*(?:\[\s*[{\[]|\[\s*$|\{)')
# what holds for all records inside an object
_SHARED = ('resource', 'labels', 'stream', 'host')
_HEADER = re.compile(r'[\w@. ()-]+')
_KIBANA = '%b %d, %Y @ %H:%M:%S.%f'
_DEEPEST = 12
# lines that tell a document from a log of lines
_LINES = 9


def kind(head):
    """What a file is, by its beginning.

    :param head: its first bytes (bytes)
    :returns: a callable that makes one record a line of the whole file (bytes
        to bytes), or None for a log of lines
    """
    head = head.removeprefix(b'\xef\xbb\xbf')
    lines = head.split(b'\n', _LINES)
    if len(lines) > 1 and _columns(lines[0]):
        return from_csv
    lines = lines[:_LINES]
    if any(map(formats.parse, lines)):
        return None
    return from_json if any(map(_is_of_json, lines)) else None


def _is_of_json(line):
    if not _JSON.match(line):
        return False
    try:
        return any(_records(json.loads(line), {}, 0))
    except (ValueError, RecursionError):
        # it goes on in the next line
        return True


def from_json(data):
    """Make one record a line of JSON documents, one behind the other (bytes).

    What is no JSON between them is left out.
    """
    text = data.decode('utf-8-sig', 'replace')
    decoder, at, found = json.JSONDecoder(), 0, []
    while True:
        begin = re.compile(r'[\[{]').search(text, at)
        if begin is None:
            break
        try:
            value, at = decoder.raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            at = text.find('\n', begin.start())
            if at < 0:
                break
            continue
        found += _records(value, {}, 0)
    return _lines(found)


def from_csv(data):
    """Make one record a line of a table with the names of its columns."""
    text = data.decode('utf-8-sig', 'replace').replace('\0', '')
    names = _columns(text.partition('\n')[0].encode())
    reader = csv.reader(io.StringIO(text), delimiter=names.delimiter)
    next(reader)
    found = []
    try:
        for row in reader:
            found.append({name: _cell(cell)
                          for name, cell in zip(names, row)})
    except csv.Error:
        # a cell that is too long: what follows is not read
        found.append({})
    return _lines(found)


class _Columns(list):
    delimiter = ','


def _columns(line):
    """The names of a table's columns, or None for any other line."""
    text = line.decode('utf-8-sig', 'replace').strip()
    for delimiter in ',;\t':
        names = _Columns(name.strip().strip('"')
                         for name in text.split(delimiter))
        names.delimiter = delimiter
        if len(names) > 1 and all(map(_HEADER.fullmatch, names)) and (
                formats.is_record(dict.fromkeys(names, 'x'))):
            return names
    return None


def _cell(text):
    if text.startswith('{'):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return formats.iso_of(text, _KIBANA) or text


def _lines(records):
    return b''.join(json.dumps(one).encode('ascii') + b'\n'
                    for one in records)


def _records(value, shared, depth):
    """All records inside a value, each with what holds for all of them."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for one in value:
            yield from _records(one, shared, depth + 1)
        return
    if not isinstance(value, dict):
        return
    value = {name: _attributes(one) for name, one in value.items()}
    if formats.is_record(value):
        yield {**shared, **value}
        return
    shared = {**shared, **{name: value[name] for name in _SHARED
                           if name in value}}
    if isinstance(value.get('values'), list):
        for pair in value['values']:
            if isinstance(pair, list) and len(pair) > 1:
                # a stream of Loki's
                yield {'labels': value.get('stream'), 'timestamp': pair[0],
                       'line': pair[1]}
    for one in value.values():
        yield from _records(one, shared, depth + 1)


def _attributes(value):
    """OTLP's list of keys and values as an object; any other as it is."""
    if isinstance(value, dict) and set(value) == {'attributes'}:
        return {'attributes': _attributes(value['attributes'])}
    if isinstance(value, list) and value and all(
            isinstance(one, dict) and {'key', 'value'} <= set(one)
            for one in value):
        return {str(one['key']): one['value'].get('stringValue')
                if isinstance(one['value'], dict) else one['value']
                for one in value}
    return value
