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

"""Serve a WSGI application: run by name in the services' virtualenv.

serve.py ADDRESS PORT THREADS MODULE GATE [ARGS]

While the file GATE exists, every request is answered with 503.  ARGS are the
application's.
"""

import importlib
import os
import sys

import waitress


def gated(application, gate):
    """Wrap an application so that a file makes it unavailable.

    :param application: a WSGI application
    :param gate: the file's path (str)
    :returns: a WSGI application
    """
    def answer(environ, start_response):
        if not os.path.exists(gate):
            return application(environ, start_response)
        start_response('503 Service Unavailable',
                       [('Content-Type', 'text/plain')])
        return [b'Service Unavailable\n']
    return answer


def main():
    address, port, threads, module, gate = sys.argv[1:6]
    # the applications read it, too
    del sys.argv[1:6]
    application = importlib.import_module(module).application
    waitress.serve(gated(application, gate), host=address, port=int(port),
                   threads=int(threads))


if __name__ == '__main__':
    main()
