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

"""Start keeptrack: ``keeptrack`` and ``python -m keeptrack``."""

import sys

# what a shell reports of a program that Ctrl-C has ended
INTERRUPTED = 130


def main():
    """Run the command line of this process.

    :returns: the exit status (int)
    """
    try:
        # cliff takes a moment to import, in which Ctrl-C may come
        from keeptrack.cli import app
        return app.main()
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        return INTERRUPTED


if __name__ == '__main__':
    # the name that help texts begin with
    sys.argv[0] = 'keeptrack'
    sys.exit(main())
