; The installer for Windows: for one person, without an administrator, upgrading in place, and with an uninstaller that
; leaves chats, settings and models where they are unless it is told otherwise.
;
;   makensis -INPUTCHARSET UTF8 -DVERSION=0.1.0 -DNUMBERS=0.1.0.0 -DAPP=path\to\frozen\inglenook -DICON=inglenook.ico \
;     -DOUT=setup.exe inglenook.nsi

Unicode true
!include "MUI2.nsh"
!include "FileFunc.nsh"
!include "LogicLib.nsh"

!ifndef VERSION | NUMBERS | APP | ICON | OUT
  !error "VERSION, NUMBERS, APP, ICON and OUT must be given with -D"
!endif

!define NAME "Inglenook"
!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\${NAME}"

Name "${NAME}"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\${NAME}"
InstallDirRegKey HKCU "Software\${NAME}" "InstallDir"
RequestExecutionLevel user
SetCompressor /SOLID lzma
BrandingText "${NAME} ${VERSION}"
VIProductVersion "${NUMBERS}"
VIAddVersionKey "ProductName" "${NAME}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "${NAME} setup"
VIAddVersionKey "LegalCopyright" "Apache License 2.0"

!define MUI_ICON "${ICON}"
!define MUI_UNICON "${ICON}"
!define MUI_FINISHPAGE_RUN "$INSTDIR\inglenook.exe"
!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_COMPONENTS
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE "English"
!insertmacro MUI_LANGUAGE "German"

LangString OPEN_NOW ${LANG_ENGLISH} "${NAME} is running. Close its window, and end inglenook-serve, then try again."
LangString OPEN_NOW ${LANG_GERMAN} "${NAME} läuft noch. Bitte das Fenster schließen und inglenook-serve beenden, dann noch einmal."
LangString UN_APP ${LANG_ENGLISH} "${NAME} itself"
LangString UN_APP ${LANG_GERMAN} "${NAME} selbst"
LangString UN_DATA ${LANG_ENGLISH} "Also chats, settings and models"
LangString UN_DATA ${LANG_GERMAN} "Auch Chats, Einstellungen und Modelle"
LangString UN_DATA_SURE ${LANG_ENGLISH} "Really delete all chats, settings and models? They cannot be brought back."
LangString UN_DATA_SURE ${LANG_GERMAN} "Wirklich alle Chats, Einstellungen und Modelle löschen? Sie sind nicht wiederzubringen."

; Windows does not let a program be written over while it runs: its file can then not be opened for appending.
!macro RefuseWhileRunning PROGRAM
  ${If} ${FileExists} "$INSTDIR\${PROGRAM}"
    ${Do}
      ClearErrors
      FileOpen $0 "$INSTDIR\${PROGRAM}" a
      ${IfNot} ${Errors}
        FileClose $0
        ${ExitDo}
      ${EndIf}
      MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(OPEN_NOW)" /SD IDCANCEL IDRETRY +2
      Abort
    ${Loop}
  ${EndIf}
!macroend
!macro RefuseWhileOpen
  !insertmacro RefuseWhileRunning "inglenook.exe"
  !insertmacro RefuseWhileRunning "inglenook-serve.exe"
!macroend

Section "${NAME}"
  !insertmacro RefuseWhileOpen
  ; What an older version had and this one does not must go; nothing of a person's lies here.
  RMDir /r "$INSTDIR\_internal"
  RMDir /r "$INSTDIR\licences"
  SetOutPath "$INSTDIR"
  File /r "${APP}\*"
  File "/oname=inglenook.ico" "${ICON}"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "$SMPROGRAMS\${NAME}.lnk" "$INSTDIR\inglenook.exe" "" "$INSTDIR\inglenook.ico"

  WriteRegStr HKCU "Software\${NAME}" "InstallDir" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayName" "${NAME}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\inglenook.ico"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "Publisher" "${NAME}"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "NoRepair" 1
  ${GetSize} "$INSTDIR" "/S=0K" $0 $1 $2
  IntFmt $0 "0x%08X" $0
  WriteRegDWORD HKCU "${UNINSTALL_KEY}" "EstimatedSize" "$0"
SectionEnd

Section "un.$(UN_APP)"
  SectionIn RO
  !insertmacro RefuseWhileOpen
  RMDir /r "$INSTDIR\_internal"
  RMDir /r "$INSTDIR\licences"
  Delete "$INSTDIR\inglenook.exe"
  Delete "$INSTDIR\inglenook-serve.exe"
  Delete "$INSTDIR\inglenook.ico"
  Delete "$INSTDIR\uninstall.exe"
  ; Not with /r: somebody may have put a file of their own here.
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\${NAME}.lnk"
  DeleteRegKey HKCU "${UNINSTALL_KEY}"
  DeleteRegKey HKCU "Software\${NAME}"
SectionEnd

; Not chosen unless a person chooses it.
Section /o "un.$(UN_DATA)"
  MessageBox MB_YESNO|MB_ICONEXCLAMATION|MB_DEFBUTTON2 "$(UN_DATA_SURE)" /SD IDNO IDNO keep
  RMDir /r "$LOCALAPPDATA\inglenook"
  keep:
SectionEnd
