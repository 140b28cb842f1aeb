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


"""Script: migrate new SQLite databases for a Nova tree.

Arguments: the tree, the adapter, the database to make; where the tree has
more than one, the others are made beside it.
"""

import glob
import os
import sqlite3
import sys

import tree_loader


def main():
    """Make the databases."""
    adapter = tree_loader.load(sys.argv)()
    adapter.import_nova()
    adapter.configure(adapter.database_options(sys.argv[3]))
    adapter.migrate_database()
    for path in glob.glob(os.path.join(os.path.dirname(sys.argv[3]),
                                       '*.sqlite')):
        connection = sqlite3.connect(path)
        # readers and a writer beside each other; the file remembers it
        connection.execute('PRAGMA journal_mode=WAL')
        connection.close()


if __name__ == '__main__':
    main()
