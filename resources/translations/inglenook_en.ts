<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en_US" sourcelanguage="en">
<context>
    <name></name>
    <message numerus="yes">
        <source>%Ln more are not attached.</source>
        <translation>
            <numerusform>One more is not attached.</numerusform>
            <numerusform>%Ln more are not attached.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>A message takes at most %Ln files; the others are left aside.</source>
        <translation>
            <numerusform>A message takes at most one file; the others are left aside.</numerusform>
            <numerusform>A message takes at most %Ln files; the others are left aside.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>It needs {n_prompt} tokens, the model reads {n_ctx}. The %Ln oldest turns ({n_left_out} tokens) would be left out; your instructions stay.</source>
        <translation>
            <numerusform>It needs {n_prompt} tokens, the model reads {n_ctx}. The oldest turn ({n_left_out} tokens) would be left out; your instructions stay.</numerusform>
            <numerusform>It needs {n_prompt} tokens, the model reads {n_ctx}. The %Ln oldest turns ({n_left_out} tokens) would be left out; your instructions stay.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>It needs {n_prompt} tokens, the model reads {n_ctx}. The %Ln oldest turns ({n_left_out} tokens) would be left out; all else stays.</source>
        <translation>
            <numerusform>It needs {n_prompt} tokens, the model reads {n_ctx}. The oldest turn ({n_left_out} tokens) would be left out; all else stays.</numerusform>
            <numerusform>It needs {n_prompt} tokens, the model reads {n_ctx}. The %Ln oldest turns ({n_left_out} tokens) would be left out; all else stays.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The model is summarising the %Ln oldest turns. Your message is sent as soon as it is done.</source>
        <translation>
            <numerusform>The model is summarising the oldest turn. Your message is sent as soon as it is done.</numerusform>
            <numerusform>The model is summarising the %Ln oldest turns. Your message is sent as soon as it is done.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln requests · {tokens} tokens</source>
        <translation>
            <numerusform>%Ln request · {tokens} tokens</numerusform>
            <numerusform>%Ln requests · {tokens} tokens</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The file of your chats was damaged. %Ln chats were recovered; the damaged file is kept as {name}.</source>
        <translation>
            <numerusform>The file of your chats was damaged. %Ln chat was recovered; the damaged file is kept as {name}.</numerusform>
            <numerusform>The file of your chats was damaged. %Ln chats were recovered; the damaged file is kept as {name}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln empty folders imported.</source>
        <translation>
            <numerusform>One empty folder imported.</numerusform>
            <numerusform>%Ln empty folders imported.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln chats imported.</source>
        <translation>
            <numerusform>One chat imported.</numerusform>
            <numerusform>%Ln chats imported.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln chats were here already.</source>
        <translation>
            <numerusform>One was here already.</numerusform>
            <numerusform>%Ln were here already.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln messages of these chats could not be read.</source>
        <translation>
            <numerusform>One message of these chats could not be read.</numerusform>
            <numerusform>%Ln messages of these chats could not be read.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln chats could not be read.</source>
        <translation>
            <numerusform>One chat could not be read.</numerusform>
            <numerusform>%Ln chats could not be read.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln chats could not be read: {names}.</source>
        <translation>
            <numerusform>One chat could not be read: {names}.</numerusform>
            <numerusform>%Ln chats could not be read: {names}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln tokens</source>
        <translation>
            <numerusform>%Ln token</numerusform>
            <numerusform>%Ln tokens</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{percent} % of %Ln draft tokens accepted</source>
        <translation>
            <numerusform>{percent} % of %Ln draft token accepted</numerusform>
            <numerusform>{percent} % of %Ln draft tokens accepted</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln chat(s)</source>
        <translation>
            <numerusform>%Ln chat</numerusform>
            <numerusform>%Ln chats</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln models, one question</source>
        <translation>
            <numerusform>%Ln model, one question</numerusform>
            <numerusform>%Ln models, one question</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln answers from one reading of the prompt</source>
        <translation>
            <numerusform>%Ln answer from one reading of the prompt</numerusform>
            <numerusform>%Ln answers from one reading of the prompt</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete from here on: %Ln messages</source>
        <translation>
            <numerusform>Delete from here on: %Ln message</numerusform>
            <numerusform>Delete from here on: %Ln messages</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>This computer: %Ln cores, {memory} of memory, {free} free.</source>
        <translation>
            <numerusform>This computer: %Ln core, {memory} of memory, {free} free.</numerusform>
            <numerusform>This computer: %Ln cores, {memory} of memory, {free} free.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>on %Ln cards</source>
        <translation>
            <numerusform>on %Ln card</numerusform>
            <numerusform>on %Ln cards</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Choose %Ln models or more.</source>
        <translation>
            <numerusform>Choose %Ln model or more.</numerusform>
            <numerusform>Choose %Ln models or more.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>At most %Ln models can be compared.</source>
        <translation>
            <numerusform>At most %Ln model can be compared.</numerusform>
            <numerusform>At most %Ln models can be compared.</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>AttachmentChip</name>
    <message numerus="yes">
        <source>%Ln tokens</source>
        <translation>
            <numerusform>%Ln token</numerusform>
            <numerusform>%Ln tokens</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}, %Ln tokens</source>
        <translation>
            <numerusform>{name}, %Ln token</numerusform>
            <numerusform>{name}, %Ln tokens</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>Header</name>
    <message numerus="yes">
        <source>%Ln tools</source>
        <translation>
            <numerusform>%Ln tool</numerusform>
            <numerusform>%Ln tools</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ImportExportWiring</name>
    <message numerus="yes">
        <source>%Ln chats so far…</source>
        <translation>
            <numerusform>%Ln chat so far…</numerusform>
            <numerusform>%Ln chats so far…</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>MessageWiring</name>
    <message numerus="yes">
        <source>%Ln messages are deleted.</source>
        <translation>
            <numerusform>The message is deleted.</numerusform>
            <numerusform>%Ln messages are deleted.</numerusform>
        </translation>
    </message>
</context>
</TS>
