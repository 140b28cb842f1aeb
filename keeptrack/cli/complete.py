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

"""Completion of commands, options and names in bash."""

import textwrap

from cliff import complete

_LISTS = {
    '--target': 'targets -f value -c Name',
    '--release': 'targets -f value -c Name -c Releases',
    '--fault': 'drill --list -f value -c Fault',
}


class Complete(complete.CompleteCommand):
    """Print a script that lets bash complete commands, options and names.

    Names are those of targets, releases and faults. Load it with
    eval "$(keeptrack complete)" in ~/.bashrc; it needs bash-completion.
    """

    def take_action(self, parsed_args):
        super().take_action(parsed_args)
        if parsed_args.shell != 'bash':
            return
        name = parsed_args.name or self.app.NAME
        cases = '\n'.join('    %s) names=$(%s %s 2>/dev/null);;' % (
            option, name, words) for option, words in _LISTS.items())
        self.app.stdout.write(textwrap.dedent('''\
            _%(function)s_names()
            {
              local names
              case "${COMP_WORDS[COMP_CWORD-1]}" in
            %(cases)s
                *) _%(function)s; return;;
              esac
              COMPREPLY=( $(compgen -W "$names" -- \\
                            "${COMP_WORDS[COMP_CWORD]}") )
            }
            complete -F _%(function)s_names %(name)s
            ''') % {'function': name.replace('-', '_'), 'cases': cases,
                    'name': name})
