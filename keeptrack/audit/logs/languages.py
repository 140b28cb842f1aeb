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

"""What nova-compute writes where its host's locale is not English.

From nova/locale of each release: Juno to Ocata translate messages of the log
(nova-log-*.po), and all up to 2026.2 the names of lifecycle events (nova.po),
since those are put into the message from a table.
"""

import json
import re

# 'VM Paused (Lifecycle Event)', and what Liberty to Ocata make of it; Brazil's
# begins with MV
_FORMS = ('Lifecycle Event', 'Událost životního cyklu',
          'Ereignis im Lebenszyklus', 'Evento de Ciclo de vida',
          'Suceso de Ciclo de vida', 'Evento Lifecycle', '라이프사이클 이벤트',
          'Evento de Ciclo de Vida', 'Yaşamdöngüsü Olayı', '生命周期事件')

# the sign of one word for paused and stopped
HALTED = 'halted'

# sign, and its names in English, then cs, de, es, fr, it, ja, ko_KR, pt_BR,
# ru, tr_TR, zh_CN and zh_TW; more than one where releases differ
_STATES = (
    ('started', 'Started|Spuštěno|Gestartet|Arrancado|Iniciado|Démarré|'
     'Avviato|開始済み|작동함|Начато|Başlatıldı|已开始|已開始'),
    ('resumed', 'Resumed|Obnoveno|Fortgesetzt|Reanudada|Repris|Reprise|'
     'Ripristinato|再開済み|재시작함|Retomado|Продолжено|Devam Edildi|已恢复|'
     '已恢復'),
    ('paused', 'Paused|Pozastaveno|Pausiert|Pausada|En pause|In pausa|'
     '一時停止済み|정지함|Pausado|На паузе|已暂停|已暫停|'
     'Migration completed|Postcopy started'),
    ('stopped', 'Stopped|Zastaveno|Gestoppt|Se ha detenido|Stoppé|Arrêté|'
     'Di arresto|停止済み|중지됨|Остановлен|已停止'),
    (HALTED, 'Interrompido|Durduruldu'),
    # the project's series
    ('left', 'Migrated away'),
    # a guest that has put itself to sleep: no sign
    (None, 'Suspended|Uspáno|Ausgesetzt|Suspendida|Suspendue|Interruption|'
     'Sospeso|休止済み|Suspenso|Приостановлено|Askıda|已挂起|挂起'),
)
STATES = {name: sign for sign, names in _STATES for name in names.split('|')}

# language: sign and how the message begins, or a part of it that is its own.
# %s is what the English row of messages.py has for its detail; %d any number.
_MESSAGES = {
    'cs': (
        ('watched', 'Přesunutí běží %d vteřin'),
        ('failed', 'Selhání přesunu za běhu:'),
        ('failed', 'Přesun za provozu selhal.'),
        ('failed', 'Operace přesunu byla ukončena'),
        ('failed', 'Chyba při sledování přesunu:'),
        ('cancelled', 'Operace přesunu byla zrušena'),
        ('pre-failed', 'Příprava přesunu za provozu selhala v %s'),
        ('completed', 'Operace přesunutí byla dokončena'),
        ('posted', 'Přesunutí po spuštění je zahájeno.'),
        ('finished', 'Přesunování instance do %s úspěšně'),
        ('posted-there', 'Zahájena operace po přesunutí'),
        ('record-at', 'byl změněn hostitel instance z %s na'),
        ('rebuilt', 'Znovu sestavování instance'),
        ('power', 'neodpovídá stavu napájení vm z hypervizoru (%s)'),
        ('pending', 'instance má nevyřízený úkol  (migrating)'),
        ('sync-stop', 'Instance se sama vypnula.'),
        ('absent', 'Instance nemohla být neočekávaně nalezena.'),
        ('reset', 'nalezena instance ve stavu přesunutí'),
        ('restarted', 'Restartování instance po restartu nova-compute'),
        ('destroyed', 'Instance úspěšně zničena.'),
    ),
    'de': (
        ('watched', 'Migration läuft für %d Sekunden'),
        ('failed', 'Live-Migration fehlgeschlagen:'),
        ('failed', 'Live-Migration fehlgeschlagen.'),
        ('failed', 'Migration Operation abgebrochen'),
        ('pre-failed', 'Vor-Live-Migration fehlgeschlagen an %s'),
        ('completed', 'Migration volständig'),
        ('posted', '_post_live_migration() ist gestartet'),
        ('finished', 'Migrieren Instanz zu %s erfolgreich'),
        ('posted-there', 'Post Operation der Migration gestartet'),
        ('record-at', 'die Instanz verschoben von Host %s zu'),
        ('rebuilt', 'Neubau der Instanz'),
        ('power', 'stimmt nicht mit  vm_power_state vom Hypervisor (%s)'),
        ('pending', 'Instanz noch anstehende Aufgaben (migrating)'),
        ('reset', 'Instanz gefunden im Migrations-Status'),
        ('restarted', 'Neustart der Instanz nach dem Nova-Compute'),
        ('destroyed', 'Instanz erfolgreich zerstört.'),
    ),
    'es': (
        ('watched', 'Migración ejecutándose por %d segundos'),
        ('failed', 'Fallo en migración en vivo:'),
        ('failed', 'Falló la migración en vivo.'),
        ('failed', 'La operación de migración ha sido abortada'),
        ('failed', 'Error al monitorear migración:'),
        ('cancelled', 'Se ha cancelado la operación de migración'),
        ('pre-failed', 'Previo a migración en vivo falló en %s'),
        ('completed', 'Se ha completado la operación de migración'),
        ('posted', 'Se ha iniciado _post_live_migration()'),
        ('finished', 'La migración de la instancia hacia %s ha finalizado'),
        ('posted-there', 'Se ha iniciado la operación posterior de migración'),
        ('record-at', 'la instancia se ha movido del host %s al'),
        ('rebuilt', 'Volver a crear instancia'),
        ('power', 'no coincide con el vm_power_state del hipervisor (%s)'),
        ('pending', 'ha dejado una tarea pendiente (migrating)'),
        ('sync-stop', 'La instancia se apagó por si sola.'),
        ('absent', 'La instancia no se encuentra inesperadamente.'),
        ('reset', 'una instancia en estado de migración durante el inicio'),
        ('restarted', 'Rearrancando instancia después de reiniciar'),
        ('destroyed', 'La instancia se ha destruido satisfactoriamente.'),
    ),
    'fr': (
        ('failed', 'Migration Directe a échoué :'),
        ('failed', 'Échec de la migration à chaud.'),
        ('failed', 'La migration a été interrompu'),
        ('cancelled', 'La migration a été annulée.'),
        ('pre-failed', 'Pré migration en directe a échoué a %s'),
        ('posted', '_post_live_migration() est démarré'),
        ('finished', "La migration de l'instance vers %s s'est terminée"),
        ('posted-there', 'Opération postérieure à la migration démarrée'),
        ('record-at', "a été déplacée depuis l'hôte %s vers"),
        ('rebuilt', "Régénération de l'instance"),
        ('pending', "l'instance à une tâche en attente (migrating)"),
        ('sync-stop', 'Instance close par elle-même.'),
        ('absent', "L'instance est introuvable contre toute attente."),
        ('reset', "Instance trouvée à l'état en cours de migration"),
        ('restarted', "Redémarrage de l'instance après redémarrage de nova"),
        ('destroyed', 'Instance détruite avec succès.'),
    ),
    'it': (
        ('watched', 'Migration in corso da %d secondi'),
        ('failed', 'Fallimento di Live Migration:'),
        ('pre-failed', 'Migrazione pre live fallita su %s'),
        ('completed', "L'operazione di migrazione è stata completata"),
        ('posted', '_post_live_migration() è stato avviato'),
        ('finished', "La migrazione dell'istanza %s è conclusa"),
        ('posted-there', "L'operazione successiva per la migrazione è stata"),
        ('record-at', "l'istanza è stata spostata dall'host %s nell'host"),
        ('rebuilt', "Nuova build dell'istanza"),
        ('pending', "l'istanza ha un task in sospeso (migrating)"),
        ('reset', 'Istanza trovata in stato di migrazione durante'),
        ('restarted', "Riavvio dell'istanza dopo il riavvio di nova-compute"),
        ('destroyed', 'Istanza distrutta correttamente.'),
    ),
    'ja': (
        ('destroyed', 'インスタンスが正常に破棄されました。'),
    ),
    'ko_KR': (
        ('watched', '초 동안 마이그레이션 실행'),
        ('failed', '라이브 마이그레이션 실패:'),
        ('failed', '라이브 마이그레이션에 실패했습니다.'),
        ('failed', '마이그레이션 조작이 중단됨'),
        ('failed', '마이그레이션 모니터 오류:'),
        ('cancelled', '마이그레이션 조작이 취소됨'),
        ('pre-failed', '사전 라이브 마이그레이션이 %s에서 실패함'),
        ('completed', '마이그레이션 조작이 완료됨'),
        ('posted', '_post_live_migration()이 시작됩니다'),
        ('finished', '인스턴스를 %s(으)로 마이그레이션하는 작업이 성공적으로'),
        ('posted-there', '마이그레이션의 사후 오퍼레이션이 시작했음'),
        ('record-at', 'sync_power 프로세스 중에 %s 호스트에서'),
        ('rebuilt', '인스턴스 다시 빌드 중'),
        ('deleted', '인스턴스 종료'),
        ('power', '가 하이퍼바이저(%s)의 vm_power_state와 일치하지 않습니다'),
        ('pending', '인스턴스에 보류 중인 작업(migrating)이 있습니다'),
        ('sync-stop', '인스턴스가 자체적으로 종료됩니다.'),
        ('absent', '인스턴스가 예기치 않게'),
        ('reset', '시작 중에 마이그레이션 상태의 인스턴스를 찾았습니다'),
        ('restarted', 'nova-compute 다시 시작 후에 인스턴스 다시 부팅'),
        ('destroyed', '인스턴스가 영구 삭제되었습니다.'),
    ),
    'pt_BR': (
        ('watched', 'Execução de migração durante %d secs'),
        ('failed', 'Falha na Migração em Tempo Real:'),
        ('failed', 'A migração em tempo real falhou.'),
        ('failed', 'A operação de migração foi interrompida'),
        ('pre-failed', 'A pré-migração em tempo real falhou em %s'),
        ('completed', 'A operação de migração foi concluída'),
        ('posted', '_post_live_migration() foi iniciada'),
        ('finished', 'Migração da instância para %s concluída'),
        ('posted-there', 'Pós-operação de migração iniciada'),
        ('record-at', 'a instância foi movida do host %s para'),
        ('rebuilt', 'Reconstruindo a instância'),
        ('deleted', 'Finalizando a instância'),
        ('power', 'ao vm_power_state a partir do hypervisor (%s)'),
        ('pending', 'possui uma tarefa pendente (migrating)'),
        ('reset', 'Instância localizada ao migrar o estado durante a'),
        ('restarted', 'Reinicializando instância após reinício de nova'),
        ('destroyed', 'Instância destruída com êxito.'),
    ),
    'tr_TR': (
        ('watched', 'saniyedir çalışıyor, hafıza'),
        ('failed', 'Canlı Göç başarısız:'),
        # cancelled, too
        ('failed', 'Göç işlemi iptal edildi'),
        ('failed', 'Göç izleme hatası:'),
        ('pre-failed', 'Canlı öncesi göç %s de başarısız'),
        ('completed', 'Göç işlemi tamamlandı'),
        ('posted', '_post_live_migration() başlatıldı'),
        ('finished', "Sunucunun %s'e göçü başarıyla bitti."),
        ('posted-there', 'Göç sonrası işlemler başladı'),
        ('record-at', 'süreci sırasında sunucu %s istemcisinden'),
        ('rebuilt', 'Sunucu yeniden inşa ediliyor'),
        ('power', 'hipervizör (%s) den gelene vm_power_state'),
        ('pending', 'sunucunun bekleyen bir görevi var (migrating)'),
        ('sync-stop', 'Sunucu kendi kendine kapandı.'),
        ('absent', 'Sunucu beklenmedik şekilde bulunamadı.'),
        ('reset', 'Sunucu başlatılırken göç durumunda bulundu.'),
        ('restarted', 'Sunucu nova-compute yeniden başlatma sonrası'),
        ('destroyed', 'Sunucu başarıyla silindi.'),
    ),
    'zh_CN': (
        ('watched', '迁移运行%d 秒'),
        ('failed', '在线迁移失败：'),
        ('failed', '在线迁移失败。'),
        ('failed', '放弃迁移操作'),
        ('failed', '监控迁移错误：'),
        ('cancelled', '迁移操作取消'),
        ('pre-failed', '预热迁移失败 %s'),
        ('completed', '迁移操作完成'),
        ('posted', '已启动 _post_live_migration()'),
        ('finished', '成功完成迁移实例到 %s。'),
        ('posted-there', '已启动迁移的后操作'),
        ('record-at', '实例已从主机 %s 移到主机'),
        ('rebuilt', '正在重建实例'),
        ('power', '与监测器上虚拟机电源状态 (%s)不一致'),
        ('pending', '实例有一个待办任务 (migrating)'),
        ('sync-stop', '实例被它自己关闭。'),
        ('absent', '意外找不到实例。'),
        ('reset', '找到处于正在迁移状态的实例'),
        ('restarted', 'nova-compute重启后，实例正在重启'),
        ('destroyed', '实例销毁成功。'),
    ),
}

_STATE = re.compile(r'(?:VM|MV) (.{1,40}?) \((?:%s)\)' % '|'.join(_FORMS))
# the same in a language that is not known
_LIKE_A_STATE = re.compile(r'VM (\w.{0,39}?) \(\w[^()]{2,39}\)$')
# how such a line goes on behind its instance; too slow to search all logs for
ANY_STATE = b'] VM '


def _rows():
    """Of each message: what to search for, its sign and its expression."""
    for messages in _MESSAGES.values():
        for sign, text in messages:
            parts = re.split('%[sd]', text)
            expression = re.escape(text).replace('%s', r'(\S+?)').replace(
                '%d', r'\d+')
            if text.endswith('%s'):
                expression += '$'
            # most logs need none of them compiled
            yield max(parts, key=len), sign, expression


ROWS = tuple(_rows())


def patterns():
    """What to search for (set of str).

    JSON may have any character but ASCII's by its number.
    """
    found = {'(%s' % form for form in _FORMS} | {row[0] for row in ROWS}
    return found | {json.dumps(one)[1:-1] for one in found
                    if not one.isascii()}


def state(text):
    """The name of a lifecycle event in a message.

    :param text: the message (str)
    :returns: str, which STATES may have, or None for any other message
    """
    match = _STATE.match(text) or _LIKE_A_STATE.match(text)
    return match and match[1]


def find(text):
    """Which message a text is, and what else it says.

    :param text: the message (str)
    :returns: its name and str or None; None, None for any other message
    """
    for part, sign, expression in ROWS:
        match = re.search(expression, text) if part in text else None
        if match:
            return sign, match[1] if match.groups() else None
    return None, None
