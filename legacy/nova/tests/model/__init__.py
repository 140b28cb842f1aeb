
import nova

nova.complete(__path__, 'tests', 'model')
