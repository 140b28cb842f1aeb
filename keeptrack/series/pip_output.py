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

"""What went wrong with pip, in words for people."""

import re

_CAUSES = (
    (r'No space left on device', 'the disk is full'),
    (r'CERTIFICATE_VERIFY_FAILED|SSLError',
     'the certificate of the package index is not trusted: see pip config '
     'list, or set PIP_CERT'),
    (r'\b(?:401|403|407) (?:Client )?Error',
     'the package index refuses access: check its user and password, see pip '
     'config list'),
    (r'NewConnectionError|Failed to establish|Connection refused|'
     r'Name or service not known|Temporary failure in name resolution|'
     r'ConnectTimeout|Read ?timed ?out|ReadTimeoutError|ProxyError|'
     r'Network is unreachable|Connection (?:reset|aborted)',
     'the package index cannot be reached: check the network, the proxy and '
     'pip config list'),
    (r'requires a different Python|Requires-Python',
     'a package needs another Python: name one with --python'),
    (r'Python\.h: No such file|command \'\S*(?:gcc|cc|clang)\S*\' failed|'
     r'metadata-generation-failed|Failed building wheel|'
     r'Failed to build',
     'a package has to be compiled and cannot be: it needs gcc, pkg-config '
     'and the header files of Python and of the library that it uses'),
)


def explain(output):
    """Say why pip has failed.

    :param output: what pip has written (str)
    :returns: str, a part of a sentence
    """
    for pattern, words in _CAUSES:
        if re.search(pattern, output):
            return words
    absent = re.search(r'No matching distribution found for (\S+)', output)
    if absent:
        return 'the package index has no %s' % absent.group(1)
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith('error')]
    last = (errors or lines or ['pip gives no reason'])[-1]
    return re.sub(r'^(?i:error): *', '', last)
